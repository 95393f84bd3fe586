"""What tools/bench control measures against besides the control plane: the real data plane in a
namespace, and FreeRADIUS."""
import contextlib
import os
import subprocess
import time

from bench_lib import machine

RADIUS_PORT = 18120
ACCOUNTING_PORT = 18130
SECRET = "bench-shared-secret"
OUTER = "10.99.0."          # the concentrator has .1 to .4, the clients .9
NUM_ADDRESSES = 4
_RADIUSD = """
prefix = /usr
libdir = /usr/lib/freeradius
localstatedir = {dir}
logdir = {dir}
db_dir = {dir}
run_dir = {dir}
radacctdir = {dir}
pidfile = {dir}/radiusd.pid
max_requests = 65536
cleanup_delay = 2
security {{
  reject_delay = 0
}}
client gateway {{
  ipaddr = 127.0.0.0/8
  secret = {secret}
  require_message_authenticator = yes
}}
modules {{
  mschap {{
    use_mppe = yes
  }}
  files {{
    filename = {dir}/users
  }}
  detail {{
    filename = {dir}/detail
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
    recv_buff = 4194304
  }}
  listen {{
    type = acct
    ipaddr = 127.0.0.1
    port = {acct_port}
    recv_buff = 4194304
  }}
  authorize {{
    files
    mschap
  }}
  authenticate {{
    Auth-Type MS-CHAP {{
      mschap
    }}
  }}
  accounting {{
    detail
  }}
}}
"""
RADIUS_CONFIG = """
[[radius.servers]]
name = "bench"
address = "127.0.0.1"
{ports}
secret = "{secret}"
"""


def run(*argv):
    done = subprocess.run([str(part) for part in argv], capture_output=True, text=True)
    if done.returncode != 0:
        machine.fail(" ".join(str(part) for part in argv) + ": " + done.stderr.strip())


def stop(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def freeradius(prefix, folder, users):
    """FreeRADIUS with those users; gives its process. `prefix`: the command that runs it."""
    directory = os.path.join(folder, "freeradius")
    os.mkdir(directory, 0o700)
    files = {"radiusd.conf": _RADIUSD.format(dir=directory, secret=SECRET, port=RADIUS_PORT,
                                               acct_port=ACCOUNTING_PORT),
             "dictionary": "",
             "users": "".join(f'{user} Cleartext-Password := "secret"\n' for user in users)}
    for name, text in files.items():
        with open(os.open(os.path.join(directory, name), os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="ascii") as file:
            file.write(text)
    log = os.path.join(directory, "log")
    with open(log, "wb") as output:
        process = subprocess.Popen([*prefix, "freeradius", "-f", "-l", "stdout", "-n", "radiusd",
                                    "-d", directory], stdout=output, stderr=output)
    try:
        for _ in range(100):
            time.sleep(0.1)
            with open(log, encoding="utf-8", errors="replace") as file:
                text = file.read()
            if "Ready to process requests" in text:
                break
            if process.poll() is not None:
                machine.fail("freeradius ended at once: " + text[-500:])
        yield process
    finally:
        stop(process)


def detail_stops(folder):
    """How many Stops FreeRADIUS has written."""
    path = os.path.join(folder, "freeradius", "detail")
    if not os.path.exists(path):
        return 0
    with open(path, encoding="utf-8", errors="replace") as file:
        return sum("Acct-Status-Type = Stop" in line for line in file)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Namespaces:
    """Namespaces: the gateway's and the clients', joined by a veth whose gateway end is the data
    plane's port."""

    def __init__(self):
        self.gateway = f"bench{os.getpid()}-gw"
        self.clients = f"bench{os.getpid()}-cli"

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in (self.clients, self.gateway):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def add(self, name, outside, port):
        """A namespace, with an interface that is joined to `port` in the gateway's."""
        self._add(name)
        run("ip", "-n", name, "link", "add", outside, "txqueuelen", 10000, "type", "veth",
            "peer", "name", port, "netns", self.gateway)
        # A packet socket takes whole frames with their checksums.
        for namespace, interface in ((name, outside), (self.gateway, port)):
            run("ip", "netns", "exec", namespace, "ethtool", "-K", interface, "tx", "off", "tso",
                "off", "gso", "off", "gro", "off")
        run("ip", "-n", self.gateway, "link", "set", port, "arp", "off", "promisc", "on", "up")
        run("ip", "-n", name, "link", "set", outside, "up")

    def _add(self, name):
        run("ip", "netns", "add", name)
        run("ip", "netns", "exec", name, "sysctl", "-q", "-w",
            "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1",
            "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
        run("ip", "-n", name, "link", "set", "lo", "up")

    def _make(self):
        self._add(self.gateway)
        self.add(self.clients, "cli0", "acc0")
        run("ip", "-n", self.clients, "addr", "add", f"{OUTER}9/24", "dev", "cli0")
        run("ip", "netns", "exec", self.clients, "sysctl", "-q", "-w",
            "net.ipv4.ip_local_port_range=2000 65000")


DATAPLANE_CONFIG = """
[dataplane]
socket = "{folder}/dataplane.sock"
idle = "sleep"
main_core = {core}
worker_cores = [{worker_core}]
huge_pages = "off"
memory_mb = 1024
mbufs = 65536
max_local_addresses = 4
[[dataplane.ports]]
name = "access0"
device = "net_af_packet0,iface=acc0,qpairs=1,blocksz=65536,framesz=2048,framecnt=16384"
addresses = [{addresses}]
[dataplane.clients]
interface = "culvert0"
addresses = ["10.0.0.1/32"]
routes = ["10.0.0.0/13"]
"""


def dataplane_config(folder, core, worker_core=None):
    """`core`: of its control side, and of its worker where that has none of its own."""
    addresses = ", ".join(f'"{OUTER}{i}/24"' for i in range(1, NUM_ADDRESSES + 1))
    return DATAPLANE_CONFIG.format(
        folder=folder, core=core, addresses=addresses,
        worker_core=core if worker_core is None else worker_core)


@contextlib.contextmanager
def dataplane(prefix, program, folder):
    """culvert-dataplane as the configuration says; gives its process once it answers."""
    log = os.path.join(folder, "dataplane.log")
    with open(log, "wb") as output:
        process = subprocess.Popen([*prefix, program, "--config",
                                    os.path.join(folder, "culvert.toml")], stderr=output)
    try:
        for _ in range(300):
            if os.path.exists(os.path.join(folder, "dataplane.sock")):
                break
            if process.poll() is not None:
                with open(log, encoding="utf-8", errors="replace") as file:
                    machine.fail("culvert-dataplane ended: " + file.read()[-1000:])
            time.sleep(0.1)
        yield process
    finally:
        stop(process)
