"""tools/bench control: how many calls a second the control plane sets up, and what they cost it."""
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

from bench_lib import control_lab, machine

HELP = "call set-up, idle calls, a redial storm and teardown, on one control core"
FIELDS = ["bench", "case", "data_plane", "calls", "calls_per_connection", "calls_per_second",
          "setup_ms_p50", "setup_ms_p99", "setup_ms_max", "cpu_percent", "cpu_us_per_call",
          "other_cpu_us_per_call", "bytes_per_call", "refused", "failed", "seconds", "stops",
          "stops_seconds", "records_per_second", "times_one_shard", "rss_mb"]
PROGRAMS = ["controlplane/culvert-controlplane", "tools/bench_control/culvert-bench-control",
            "dataplane/culvert-dataplane"]
USERS = 20000
PORT = 17230
CASES = {
    "setup": "15,000 calls, a connection each",
    "connections": "19,000 calls with a connection each, idle",
    "calls": "100,000 calls, six a connection: set-up, idle, redial storm, teardown",
    "real": "calls through GRE and the real culvert-dataplane (root)",
    "radius": "15,000 calls judged by FreeRADIUS",
    "accounted": "the same, with accounting's Start and Stop to FreeRADIUS, which writes them",
    "spool": "100,000 calls that are accounted, with a server that never answers",
    "records": "how many records a second the accounting spool takes and gets rid of",
    "shards": "one and two shards, with clients in memory",
}
CONFIG = """
[log]
level = "info"
{dataplane}
[pptp]
listen = ["0.0.0.0:{port}"]
max_connections = 19500
call_id_rest_s = 5
[pptp.sources]
max_half_open = 0
[ppp]
mppe = "require"
mppe_bits = [128]
gateway_address = "10.0.0.1"
[auth]
users_file = "{folder}/users"
backends = ["{backend}"]
[[pools]]
name = "default"
ranges = ["10.0.1.0-10.7.255.255"]
[management]
socket = "{folder}/management.sock"
[metrics]
listen = ""
[accounting]
spool = "{folder}/spool.sqlite"
"""
STAND_IN = """
[dataplane]
socket = "{folder}/dataplane.sock"
[dataplane.clients]
routes = []
"""


def add_arguments(parser):
    parser.add_argument("--case", action="append", choices=CASES, metavar="NAME",
                        help="only this one; may come again: "
                        + "; ".join(f"{name}: {text}" for name, text in CASES.items()))
    parser.add_argument("--calls", type=int, help="instead of each case's own number")
    parser.add_argument("--calls-per-connection", type=int, default=None)
    parser.add_argument("--window", type=int, default=500,
                        help="calls being set up at a time (default %(default)s)")
    parser.add_argument("--idle", type=int, default=20, help="seconds (default %(default)s)")
    parser.add_argument("--build", metavar="FOLDER",
                        help="measure the programs of this build folder")
    parser.add_argument("--realtime", action="store_true",
                        help="give the programs real-time priority, on a machine that is shared")


class Bench:
    """Bench: the programs, their folder and the cores they run on."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.controlplane, self.client, self.dataplane = (
            os.path.join(options.build, name) if options.build else machine.build(name)
            for name in PROGRAMS)
        self.core, self.other_core = options.core, machine.other_core(options.core)

    def on(self, core, namespace=None, polls=False):
        """The command that runs another one on a core, in a namespace. What polls gets no real-time
        priority: what shares its core would never run."""
        return ((["ip", "netns", "exec", namespace] if namespace else [])
                + (["chrt", "-f", "1"] if self.options.realtime and not polls else [])
                + ["taskset", "-c", str(core)])

    def path(self, name):
        return os.path.join(self.folder, name)

    def write_config(self, dataplane=None, backend="local", more=""):
        text = CONFIG.format(folder=self.folder, port=PORT, backend=backend,
                             dataplane=dataplane or STAND_IN.format(folder=self.folder))
        for name, content in (("culvert.toml", text + more), ("users", "".join(
                f'[[user]]\nname = "user{i:05}"\npassword = "secret"\n' for i in range(USERS)))):
            with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                      encoding="ascii") as file:
                file.write(content)

    @contextlib.contextmanager
    def control(self, namespace=None):
        with open(self.path("log"), "wb") as log:
            process = subprocess.Popen([*self.on(self.core, namespace), self.controlplane,
                                        "--config", self.path("culvert.toml")], stderr=log)
        try:
            time.sleep(0.5)
            if process.poll() is not None:
                with open(self.path("log"), encoding="utf-8") as file:
                    machine.fail("culvert-controlplane ended: " + file.read()[-1000:])
            yield process
        finally:
            if process.poll() is None:
                control_lab.stop(process)

    def dial(self, process, calls, per_connection, *more, idle=0, storm=False, namespace=None):
        """The rows of the client's run against the control plane `process`, as they come."""
        if self.options.calls:
            calls = self.options.calls
        command = [*self.on(self.other_core, namespace), self.client, "--pid", process.pid,
                   "--socket", self.path("dataplane.sock"), "--port", PORT, "--calls", calls,
                   "--per-connection", self.options.calls_per_connection or per_connection,
                   "--window", self.options.window, "--users", USERS, "--idle", idle, "--storm",
                   int(storm), *more]
        yield from stream(command)


def stream(command):
    command = [str(part) for part in command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        for line in client.stdout:
            yield json.loads(line)
    if client.returncode != 0:
        machine.fail(" ".join(command) + " failed")


def named(rows, name):
    """The rows, with a case's name before those of their own."""
    for row in rows:
        yield {**row, "case": f"{name}-{row['case']}"}


def plain(bench, calls, per_connection, idle=0, storm=False):
    bench.write_config()
    with bench.control() as process:
        yield from bench.dial(process, calls, per_connection, idle=idle, storm=storm)


def real(bench):
    """Namespaces, culvert-dataplane on the clients' core, control connections and GRE through it."""
    bench.write_config(control_lab.dataplane_config(bench.folder, bench.other_core))
    with control_lab.Namespaces() as spaces, \
         control_lab.dataplane(bench.on(bench.other_core, spaces.gateway, polls=True),
                               bench.dataplane, bench.folder) as plane, \
         bench.control(spaces.gateway) as process:
        time.sleep(2)       # the data plane is connected
        yield from named(bench.dial(process, 15000, 1, "--gre", 1, "--target",
                                    control_lab.OUTER + "1", "--other-pid", plane.pid,
                                    namespace=spaces.clients), "real")


def radius(bench, acct_port=0):
    bench.write_config(backend="radius", more=control_lab.RADIUS_CONFIG.format(
        ports=f"auth_port = {control_lab.RADIUS_PORT}\nacct_port = {acct_port}",
        secret=control_lab.SECRET))
    users = [f"user{i:05}" for i in range(USERS)]
    with control_lab.freeradius(bench.on(bench.other_core), bench.folder, users) as server, \
         bench.control() as process:
        drops = udp_drops()
        began = [control_lab.cpu_seconds(one.pid) for one in (process, server)]
        name = "accounted" if acct_port else "radius"
        for row in named(bench.dial(process, 15000, 1, "--other-pid", server.pid), name):
            yield row
            if row["case"] == "accounted-teardown":
                yield life(bench, (process, server), began, row["calls"])
        if udp_drops() != drops:
            print(f"{udp_drops() - drops} datagrams found a full socket buffer", file=sys.stderr)


def life(bench, processes, began, calls):
    """What calls cost from Access-Request to the answer to their Stop, in both processes."""
    begun = time.monotonic()
    stops = 0
    while stops < calls and time.monotonic() - begun < 60:
        time.sleep(1)
        stops = control_lab.detail_stops(bench.folder)
    ours, theirs = ((control_lab.cpu_seconds(one.pid) - before) * 1e6 / calls
                    for one, before in zip(processes, began))
    return {"bench": "control", "case": "accounted-life", "calls": calls, "stops": stops,
            "stops_seconds": round(time.monotonic() - begun, 1),
            "cpu_us_per_call": round(ours, 1), "other_cpu_us_per_call": round(theirs, 1)}


def udp_drops():
    """Datagrams that all sockets of this machine's UDP had no room for."""
    with open("/proc/net/snmp", encoding="ascii") as file:
        names, values = (line.split() for line in file if line.startswith("Udp:"))
    return int(values[names.index("RcvbufErrors")])


def spool(bench):
    """The Stops are counted when the process has ended: until then the spool is its own."""
    bench.write_config(more=control_lab.RADIUS_CONFIG.format(
        ports="auth_port = 0\nacct_port = 9", secret=control_lab.SECRET))
    with bench.control() as process:
        for row in named(bench.dial(process, 100000, 6), "spool"):
            if row["case"] == "spool-teardown":
                begun = time.monotonic()
                control_lab.stop(process)
                row["stops_seconds"] = round(row["seconds"] + time.monotonic() - begun, 2)
                database = sqlite3.connect(bench.path("spool.sqlite"))
                row["stops"] = database.execute(
                    "SELECT count(DISTINCT call) FROM record WHERE step = 2").fetchone()[0]
                yield row
                return
            yield row


def rows(options):
    machine.need_two_cores()
    cases = {
        "setup": lambda bench: plain(bench, 15000, 1),
        "connections": lambda bench: plain(bench, 19000, 1, options.idle),
        "calls": lambda bench: plain(bench, 100000, 6, options.idle, storm=True),
        "real": real,
        "radius": radius,
        "accounted": lambda bench: radius(bench, control_lab.ACCOUNTING_PORT),
        "spool": spool,
        "records": lambda bench: stream([*bench.on(bench.core), bench.client, "--records",
                                         options.calls or 300000, "--spool",
                                         bench.path("spool.sqlite")]),
        "shards": lambda bench: stream([bench.client, "--shards", options.calls or 40000]),
    }
    for name in options.case or CASES:
        with tempfile.TemporaryDirectory(prefix="culvert-bench-") as folder:
            yield from cases[name](Bench(options, folder))
