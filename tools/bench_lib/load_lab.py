"""Where tools/bench load measures: Culvert in namespaces, a sink behind it, runs of culvert-load."""
import contextlib
import json
import os
import socket
import subprocess
import time

from bench_lib import control_lab, machine
from bench_lib.control_lab import OUTER, run

PROGRAMS = {"controlplane": "controlplane/culvert-controlplane",
            "dataplane": "dataplane/culvert-dataplane", "load": "tools/load/culvert-load",
            "ctl": "tools/culvertctl/culvertctl"}
USERS = 1000
CORE, INTERNET = "198.51.100.1", "198.51.100.2"
SINK = f"{INTERNET}:5011"
CONFIG = """
[log]
level = "info"
{dataplane}
[[dataplane.ports]]
name = "core"
device = "net_af_packet1,iface=core0,qpairs=1,blocksz=65536,framesz=2048,framecnt=16384"
addresses = ["{core}/24"]
[pptp]
listen = ["0.0.0.0:1723"]
max_connections = 19500
echo_interval_s = 600
[pptp.sources]
max_connections = 0
max_half_open = 0
[ppp]
mppe = "require"
mppe_bits = [128]
gateway_address = "10.0.0.1"
echo_interval_s = 600
[auth]
users_file = "{folder}/users"
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


class Namespaces(control_lab.Namespaces):
    """Namespaces: and a third one behind the gateway, for the sink."""

    def __init__(self):
        super().__init__()
        self.internet = f"bench{os.getpid()}-net"

    def __exit__(self, *_):
        super().__exit__()
        subprocess.run(["ip", "netns", "del", self.internet], capture_output=True)

    def _make(self):
        super()._make()
        self.add(self.internet, "net0", "core0")
        run("ip", "-n", self.internet, "addr", "add", f"{INTERNET}/24", "dev", "net0")
        run("ip", "-n", self.internet, "route", "add", "10.0.0.0/13", "via", CORE)
        run("ip", "-n", self.clients, "addr", "add", f"{OUTER}10/24", "dev", "cli0")


class Process:
    """Process: what a running program takes, from /proc."""

    def __init__(self, pid):
        self.pid = pid

    def resident(self):
        """Octets in memory that are its own: how many share its program file does not matter."""
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            return sum(int(line.split()[1]) * 1024 for line in file
                       if line.startswith(("RssAnon:", "RssShmem:")))

    def num_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Lab:
    """Lab: Culvert, the sink, and the runs of culvert-load against them."""

    def __init__(self, options, folder, spaces):
        self.options, self.folder, self.spaces = options, folder, spaces
        self.programs = {name: os.path.join(options.build, path) if options.build
                         else machine.build(path) for name, path in PROGRAMS.items()}
        self.running = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def inside(self, namespace):
        return ["ip", "netns", "exec", namespace]

    def write_config(self):
        plane = control_lab.dataplane_config(
            self.folder, machine.other_core(self.options.core), self.options.core)
        files = {
            "culvert.toml": CONFIG.format(folder=self.folder, core=CORE, dataplane=plane),
            "users": "".join(f'[[user]]\nname = "load{i}"\npassword = "secret"\n'
                             for i in range(USERS))}
        for name, text in files.items():
            with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o600), "w",
                      encoding="ascii") as file:
                file.write(text)

    @contextlib.contextmanager
    def start(self, name, *command):
        with open(self.path(f"{name}.log"), "wb") as log:
            process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        self.running[name] = Process(process.pid)
        try:
            yield process
        finally:
            if process.poll() is None:
                control_lab.stop(process)

    @contextlib.contextmanager
    def culvert(self):
        """Both programs and the sink, ready for calls."""
        self.write_config()
        gateway = self.inside(self.spaces.gateway)
        with control_lab.dataplane(gateway, self.programs["dataplane"], self.folder) as plane, \
             self.start("controlplane", *gateway, self.programs["controlplane"], "--config",
                        self.path("culvert.toml")), \
             self.start("sink", *self.inside(self.spaces.internet), self.programs["load"], "sink",
                        "--listen", SINK):
            self.running["dataplane"] = Process(plane.pid)
            for _ in range(100):
                if self.num_calls() is not None:
                    break
                time.sleep(0.1)
            else:
                machine.fail("culvert-controlplane does not answer; its log: "
                             + self.tail("controlplane"))
            # The first packet to a neighbour is lost while its address is resolved.
            subprocess.run([*self.inside(self.spaces.internet), "ping", "-q", "-c", "3", "-i",
                            "0.2", CORE], capture_output=True)
            yield

    def tail(self, name):
        with open(self.path(f"{name}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-1000:]

    def num_calls(self):
        """Calls that Culvert has; None: nobody answers."""
        done = subprocess.run([self.programs["ctl"], "--socket", self.path("management.sock"),
                               "calls", "-o", "json"], capture_output=True, text=True)
        return len(json.loads(done.stdout or "[]") or []) if done.returncode == 0 else None

    def load(self, calls, *flags):
        """A run of culvert-load that has begun."""
        for name in ("load.sock", "load.json"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path(name))
        return self.start("load", *self.inside(self.spaces.clients), self.programs["load"], "run",
                          *self.usual_flags(), "--calls", calls, "--json", self.path("load.json"),
                          "--control", self.path("load.sock"), *flags)

    def status(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(self.path("load.sock"))
            client.sendall(b'{"status":true}\n')
            return json.loads(client.makefile().readline())

    def wait_for_calls(self, process, wanted):
        """Until that many are up or have failed; 600 s at most."""
        end = time.monotonic() + 600
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError, ValueError):
                status = self.status()
                if status["calls"]["up"] + status.get("failed", 0) >= wanted:
                    return
            time.sleep(0.5)
        with open(self.path("controlplane.log"), encoding="utf-8", errors="replace") as file:
            errors = [line for line in file if " error " in line][:5]
        machine.fail("culvert-load did not get its calls up: " + self.tail("load")
                     + "culvert-controlplane: " + ("".join(errors) or "no errors"))

    def memory(self):
        return {name: process.resident() for name, process in self.running.items()}

    def report(self):
        with open(self.path("load.json"), encoding="utf-8") as file:
            return json.load(file)

    def usual_flags(self):
        return ["--server", f"{OUTER}1", "--users", USERS, "--password", "secret"]

    def left_over(self, seconds):
        """Calls that Culvert still has after that time at most."""
        end = time.monotonic() + seconds
        while (left := self.num_calls()) != 0 and time.monotonic() < end:
            time.sleep(0.5)
        return left
