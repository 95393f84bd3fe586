"""tools/bench control: how many calls a second the control plane sets up, and what they cost it."""
import contextlib
import os
import subprocess
import tempfile
import time

from bench_lib import machine

HELP = "call set-up, idle calls, a redial storm and teardown, on one control core"
FIELDS = ["bench", "case", "calls", "calls_per_connection", "calls_per_second", "setup_ms_p50",
          "setup_ms_p99", "setup_ms_max", "cpu_percent", "cpu_us_per_call", "bytes_per_call",
          "refused", "failed", "seconds", "rss_mb"]
PROGRAMS = ["controlplane/culvert-controlplane", "tools/bench_control/culvert-bench-control"]
USERS = 20000
PORT = 17230
CONFIG = """
[log]
level = "info"
[dataplane]
socket = "{folder}/dataplane.sock"
[dataplane.clients]
routes = []
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
[[pools]]
name = "default"
ranges = ["10.0.1.0-10.7.255.255"]
[management]
socket = "{folder}/management.sock"
[metrics]
listen = ""
"""


def add_arguments(parser):
    parser.add_argument("--calls", type=int, help="instead of 15000, 19000 and 100000")
    parser.add_argument("--calls-per-connection", type=int, default=None)
    parser.add_argument("--window", type=int, default=500,
                        help="calls being set up at a time (default %(default)s)")
    parser.add_argument("--idle", type=int, default=20, help="seconds (default %(default)s)")
    parser.add_argument("--build", metavar="FOLDER",
                        help="measure the programs of this build folder")


def programs(options):
    if options.build:
        return [os.path.join(options.build, name) for name in PROGRAMS]
    return [machine.build(name) for name in PROGRAMS]


@contextlib.contextmanager
def controlplane(program, core, folder):
    config = os.path.join(folder, "culvert.toml")
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(folder=folder, port=PORT))
    users = os.path.join(folder, "users")
    with open(users, "w", encoding="ascii") as file:
        for i in range(USERS):
            file.write(f'[[user]]\nname = "user{i:05}"\npassword = "secret"\n')
    os.chmod(users, 0o600)
    log = open(os.path.join(folder, "log"), "wb")
    process = subprocess.Popen(["taskset", "-c", str(core), program, "--config", config],
                               stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def measure(options, calls, per_connection, idle, storm):
    control, client = programs(options)
    with tempfile.TemporaryDirectory(prefix="culvert-bench-") as folder:
        with controlplane(control, options.core, folder) as process:
            time.sleep(0.5)
            if process.poll() is not None:
                with open(os.path.join(folder, "log"), encoding="utf-8") as file:
                    machine.fail("culvert-controlplane ended: " + file.read()[-1000:])
            yield from machine.run([
                "taskset", "-c", machine.other_core(options.core), client, "--pid", process.pid,
                "--socket", os.path.join(folder, "dataplane.sock"), "--port", PORT, "--calls",
                calls, "--per-connection", per_connection, "--window", options.window, "--users",
                USERS, "--idle", idle, "--storm", int(storm)])


def rows(options):
    machine.need_two_cores()
    if options.calls:
        yield from measure(options, options.calls, options.calls_per_connection or 1, options.idle,
                           True)
        return
    yield from measure(options, 15000, 1, 0, False)
    yield from measure(options, 19000, 1, options.idle, False)
    yield from measure(options, 100000, 6, options.idle, True)
