"""Ports: VLANs, jumbo frames, a link that goes and comes back, a TAP that nobody empties.

No dial-in: the data plane as a router between two hosts shows all of it."""
import ctypes
import os
import socket
import struct
import time

from lab import process
from lab.case import case, expect
from lab.network import CLIENT, CORE, GATEWAY, INTERNET, inside
from lab.wire import ipv4

_PTRACE_SEIZE, _PTRACE_INTERRUPT, _PTRACE_DETACH = 0x4206, 0x4207, 17
_ALL_THREADS = 0x40000000   # __WALL
_SOL_PACKET, _PACKET_AUXDATA = 263, 8
_BROADCAST = b"\xff" * 6
_HOST_MAC = b"\x02\x00\x00\x00\x00\x77"


def port(name, number, interface, **more):
    return {"name": name, "device": f"net_af_packet{number},iface={interface}", **more}


class TaggedHost:
    """TaggedHost: INTERNET on a VLAN of the wire to the core port, with or without a kernel that
    knows VLANs."""

    def __init__(self, lab, vlan):
        def make():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            sock.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
            sock.bind(("net0", 0))
            sock.settimeout(0.2)
            return sock
        self.vlan = vlan
        self._socket = inside(lab.network.internet, make)
        lab.on_close(self._socket.close)

    def send(self, destination, ethertype, payload, tags=None):
        tags = [self.vlan] if tags is None else tags
        self._socket.send(destination + _HOST_MAC
                          + b"".join(struct.pack(">HH", 0x8100, tag) for tag in tags)
                          + struct.pack(">H", ethertype) + payload)

    def wait(self, what, matches, seconds=10):
        """The first frame that is for us, has our tag and matches; what it is without the tag."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                frame, extra, _, _ = self._socket.recvmsg(65535, 256)
            except socket.timeout:
                continue
            if frame[6:12] == _HOST_MAC:
                continue    # our own
            # struct tpacket_auxdata: the kernel takes the tag off.
            tags = [struct.unpack("=IIIHHHH", data[:20])[5] & 0xfff
                    for level, kind, data in extra if (level, kind) == (_SOL_PACKET, 8)]
            if self.vlan in tags and matches(frame):
                return frame
        raise process.Failure(f"no {what} with VLAN {self.vlan} within {seconds} s")

    def arp(self, address):
        """The MAC address of `address`, by ARP."""
        body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + _HOST_MAC + \
            socket.inet_aton(INTERNET) + bytes(6) + socket.inet_aton(address)
        self.send(_BROADCAST, 0x0806, body)
        reply = self.wait("ARP reply", lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2")
        return reply[22:28]


def echo_request(source, destination, size):
    body = bytes(range(256)) * (size // 256 + 1)
    message = struct.pack(">BBHHH", 8, 0, 0, 1, 1) + body[:size]
    total = sum(struct.unpack(f">{len(message) // 2}H", message))
    total = (total & 0xffff) + (total >> 16)
    checksum = ~((total & 0xffff) + (total >> 16)) & 0xffff
    return ipv4(source, destination, socket.IPPROTO_ICMP,
                message[:2] + struct.pack(">H", checksum) + message[4:])


def host_behind_access(lab):
    """The clients' namespace as a host whose way to the internet is the data plane."""
    on = ["ip", "-n", lab.network.client()]
    process.run([*on, "addr", "add", f"{CLIENT[0]}/24", "dev", "cli0"])
    process.run([*on, "route", "add", "default", "via", GATEWAY[0]])
    process.run(["ip", "-n", lab.network.internet, "route", "replace", f"{CLIENT[0]}/32", "via",
                 CORE])


def ping(lab, namespace, address, count=5, options=(), check=True):
    return lab.network.exec(namespace, "ping", "-n", "-q", "-c", str(count), "-i", "0.1", "-W",
                            "3", *options, address, check=check)


def vlan(lab, **parent):
    """The way to the internet is VLAN 100 of the core port, which has no address of its own."""
    gateway = lab.configure(dataplane__ports=[
        port("access0", 0, "acc0", addresses=[f"{GATEWAY[0]}/24"]),
        port("core", 1, "core0", **parent),
        {"name": "core.100", "parent": "core", "vlan": 100, "addresses": [f"{CORE}/24"]},
        {"name": "core.200", "parent": "core", "vlan": 200, "mtu": 1400}])
    host_behind_access(lab)
    process.run(["ip", "-n", lab.network.internet, "addr", "flush", "dev", "net0"])
    gateway.start()
    host = TaggedHost(lab, 100)
    mac = host.arp(CORE)
    # To the gateway itself, by the sub-port's TAP; through it, by the workers.
    for address in (CORE, CLIENT[0]):
        wanted = socket.inet_aton(address) + socket.inet_aton(INTERNET)
        for size in (56, 1472):
            for tries in range(3):      # the first packet waits for the neighbour
                host.send(mac, 0x0800, echo_request(INTERNET, address, size))
                try:
                    reply = host.wait(f"echo reply of {address}", lambda f: f[26:34] == wanted, 3)
                    break
                except process.Failure:
                    expect(tries < 2, f"{address} does not answer to {size} octets")
            expect(len(reply) == 14 + 28 + size, f"{len(reply)} octets instead of {42 + size}")
    gateway.expect_metric(5, "culvert_dataplane_port_rx_packets_total", port="core.100")
    gateway.expect_metric(5, "culvert_dataplane_port_tx_packets_total", port="core.100")
    expect(gateway.metric("culvert_dataplane_port_rx_packets_total", port="core.200") == 0,
           "another VLAN's port counts packets")
    host.send(mac, 0x0800, echo_request(INTERNET, CORE, 56), [300])
    host.send(mac, 0x0800, echo_request(INTERNET, CORE, 56), [100, 5])
    gateway.expect_drops("frame_vlan_unknown")
    gateway.expect_drops("frame_vlan_nested")
    return gateway


@case("vlan")
def vlan_by_device(lab):
    gateway = vlan(lab)
    expect("vlan tags by the device" in gateway.log("dataplane"), "tags are taken off in software")


@case("vlan-software")
def vlan_in_software(lab):
    gateway = vlan(lab, offload="off")
    expect("vlan tags by the device" not in gateway.log("dataplane"), "offload is on")


@case("jumbo")
def jumbo(lab):
    """Packets of 9000 octets to a port's TAP, and from port to port."""
    gateway = lab.configure(dataplane__memory_mb=512, dataplane__ports=[
        port("access0", 0, "acc0", addresses=[f"{GATEWAY[0]}/24"], mtu=9000),
        port("core", 1, "core0", addresses=[f"{CORE}/24"], mtu=9000)])
    for namespace, interface in ((lab.network.internet, "net0"), (lab.network.gateway, "core0"),
                                 (lab.network.client(), "cli0"), (lab.network.gateway, "acc0")):
        process.run(["ip", "-n", namespace, "link", "set", interface, "mtu", "9000"])
    gateway.start()
    host_behind_access(lab)
    for address in (CORE, CLIENT[0]):
        ping(lab, lab.network.internet, address, 2, check=False)
        for size in ("8972", "4000", "56"):
            ping(lab, lab.network.internet, address, 3, ("-M", "do", "-s", size))


@case("link-down-up")
def link_down_up(lab):
    """The way to the internet goes for a while, and comes back without a restart."""
    gateway = lab.start()
    host_behind_access(lab)
    host = lab.network.client()
    ping(lab, host, INTERNET, 3, check=False)
    ping(lab, host, INTERNET)
    process.run(["ip", "-n", lab.network.internet, "link", "set", "net0", "down"])
    process.wait_for("the port's link to go", lambda: gateway.metric(
        "culvert_dataplane_port_link_up", port="core") == 0, 10)
    carrier = lab.network.exec(lab.network.gateway, "ip", "-o", "link", "show", "core").stdout
    expect("NO-CARRIER" in carrier, f"the TAP has a carrier: {carrier}")
    lost = ping(lab, host, INTERNET, 5, ("-W", "1"), check=False)
    expect(lost.returncode != 0, "the internet answers without a link")
    gateway.expect_drops("port_down", 5)
    ping(lab, host, GATEWAY[0])     # the other port goes on
    process.run(["ip", "-n", lab.network.internet, "link", "set", "net0", "up"])
    process.run(["ip", "-n", lab.network.internet, "route", "replace", f"{CLIENT[0]}/32", "via",
                 CORE])
    process.wait_for("the port's link to come back", lambda: gateway.metric(
        "culvert_dataplane_port_link_up", port="core") == 1, 10)
    ping(lab, host, INTERNET, 3, check=False)
    ping(lab, host, INTERNET, 10)


class Frozen:
    """Frozen: one thread of a process, stopped with ptrace while the others run."""

    def __init__(self, pid, name):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                                      ctypes.c_void_p]
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
                if file.read().strip() == name:
                    self.thread = int(thread)
        for request in (_PTRACE_SEIZE, _PTRACE_INTERRUPT):
            expect(self._libc.ptrace(request, self.thread, None, None) == 0, "ptrace does not work")
        os.waitpid(self.thread, _ALL_THREADS)

    def thaw(self):
        self._libc.ptrace(_PTRACE_DETACH, self.thread, None, None)


def dataplane_pid(lab):
    """The data plane itself, not what put it into the namespace."""
    pids = process.run(["ip", "netns", "pids", lab.network.gateway]).stdout.split()
    for pid in pids:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            if file.read().strip() == "culvert-dataplane"[:15]:
                return int(pid)
    raise process.Failure(f"no data plane among the processes {pids}")


@case("tap-full")
def tap_full(lab):
    """The thread that empties the rings to the TAPs stands still under a flood of frames for the
    kernel: they are dropped by name, and what the workers do goes on."""
    gateway = lab.start()
    host_behind_access(lab)
    host = lab.network.client()
    ping(lab, host, INTERNET, 3, check=False)
    frozen = Frozen(dataplane_pid(lab), "slow-path")
    try:
        def flood():
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
                sock.bind(("cli0", 0))
                frame = _BROADCAST + _HOST_MAC + b"\x08\x06" + bytes(46)
                for i in range(20000):
                    sock.send(frame)
                    if i % 100 == 0:
                        time.sleep(0.01)
        inside(host, flood)
        gateway.expect_drops("punt_port_full", 1000)
        gateway.expect_metric(1000, "culvert_dataplane_port_to_kernel_dropped_total",
                              port="access0")
        expect(gateway.metric("culvert_dataplane_port_to_kernel_dropped_total", port="core") == 0,
               "the other port counts them")
        output = ping(lab, host, INTERNET, 20).stdout
        expect(" 0% packet loss" in output, f"packets were lost: {output}")
    finally:
        frozen.thaw()
    ping(lab, host, GATEWAY[0])     # the kernel is back
