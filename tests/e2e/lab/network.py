"""Namespaces: clients | gateway | internet.

    PREFIX-cli0   cli0 <-> acc0    PREFIX-gw    core0 <-> net0   PREFIX-net
    PREFIX-cli1   cli1 <-> acc1

acc0, acc1 and core0 belong to the data plane (packet sockets); the kernel has no address there.
"""
import ctypes
import os
import threading

from lab.process import run

GATEWAY = ["10.99.0.1", "10.99.1.1"]     # outer, ours, one for each access port
CLIENT = ["10.99.0.2", "10.99.1.2"]      # outer, the clients'
TUNNEL_GATEWAY = "10.77.0.1"             # inner
TUNNEL_NET = "10.77.0.0/24"
CORE = "198.51.100.1"
INTERNET = "198.51.100.2"

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def inside(namespace, function):
    """Runs function() on a thread of its own in a network namespace; returns its value.

    Sockets it opens stay in that namespace."""
    result = {}

    def body():
        try:
            fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
            try:
                if _LIBC.setns(fd, _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns {namespace}")
            finally:
                os.close(fd)
            result["value"] = function()
        except BaseException as error:   # handed to the caller
            result["error"] = error

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if "error" in result:
        raise result["error"]
    return result["value"]


class Network:
    """Network: the namespaces of one case; `close` removes them and all that is in them."""

    def __init__(self, prefix, clients=1):
        self.prefix = prefix
        self.clients = clients
        self.gateway = f"{prefix}-gw"
        self.internet = f"{prefix}-net"
        self._made = []

    def client(self, index=0):
        return f"{self.prefix}-cli{index}"

    def open(self):
        self._namespace(self.gateway)
        self._namespace(self.internet)
        for i in range(self.clients):
            self._namespace(self.client(i))
            self._link(self.client(i), f"cli{i}", f"acc{i}")
        self._link(self.internet, "net0", "core0")
        run(["ip", "-n", self.internet, "addr", "add", f"{INTERNET}/24", "dev", "net0"])
        run(["ip", "-n", self.internet, "route", "add", TUNNEL_NET, "via", CORE])

    def add_ipv6(self, address, gateway, prefix):
        """Gives the internet's host an IPv6 address and a route to the clients' prefix; interfaces
        that the gateway makes from now on have IPv6 too."""
        self.exec(self.gateway, "sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=0")
        self.exec(self.internet, "sysctl", "-q", "-w", "net.ipv6.conf.net0.disable_ipv6=0")
        run(["ip", "-n", self.internet, "addr", "add", address, "dev", "net0", "nodad"])
        run(["ip", "-n", self.internet, "route", "add", prefix, "via", gateway])

    def close(self):
        for name in reversed(self._made):
            run(["ip", "netns", "del", name], check=False)
        self._made.clear()

    def exec(self, namespace, *argv, **options):
        return run(["ip", "netns", "exec", namespace, *argv], **options)

    def _namespace(self, name):
        run(["ip", "netns", "add", name])
        self._made.append(name)
        # Only the tests' own packets on the wire.
        self.exec(name, "sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1",
                  "net.ipv6.conf.default.disable_ipv6=1", "net.ipv4.conf.all.rp_filter=0",
                  "net.ipv4.conf.default.rp_filter=0")
        run(["ip", "-n", name, "link", "set", "lo", "up"])

    def _link(self, namespace, outside, port):
        """A veth pair: `outside` in a namespace, `port` in the gateway's."""
        run(["ip", "-n", namespace, "link", "add", outside, "type", "veth",
             "peer", "name", port, "netns", self.gateway])
        # The other end is a packet socket: nobody would complete checksums or split frames.
        for name, interface in ((namespace, outside), (self.gateway, port)):
            self.exec(name, "ethtool", "-K", interface, "tx", "off", "tso", "off", "gso", "off",
                      "gro", "off")
        # The kernel must not answer beside the data plane.
        run(["ip", "-n", self.gateway, "link", "set", port, "arp", "off", "promisc", "on", "up"])
        run(["ip", "-n", namespace, "link", "set", outside, "up"])
