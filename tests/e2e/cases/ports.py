"""Ports: VLANs, jumbo frames, a link that goes and comes back, a TAP that nobody empties."""
import ctypes
import os
import socket
import time

from lab import process
from lab.case import case, expect
from lab.network import CORE, GATEWAY, INTERNET, TUNNEL_NET, inside

_PTRACE_SEIZE, _PTRACE_INTERRUPT, _PTRACE_DETACH = 0x4206, 0x4207, 17
_ALL_THREADS = 0x40000000   # __WALL


def port(name, number, interface, **more):
    return {"name": name, "device": f"net_af_packet{number},iface={interface}", **more}


def dial(lab):
    """A client with an open call and a route to the internet."""
    client = lab.dial()
    client.up()
    client.route(f"{INTERNET}/32")
    client.try_run(f"ping -n -q -c 2 -W 1 {INTERNET}")    # neighbours get resolved
    return client


def vlan(lab, **parent):
    """The way to the internet is VLAN 100 of the core port, which has no address of its own."""
    gateway = lab.configure(dataplane__ports=[
        port("access0", 0, "acc0", addresses=[f"{GATEWAY[0]}/24"]),
        port("core", 1, "core0", **parent),
        {"name": "core.100", "parent": "core", "vlan": 100, "addresses": [f"{CORE}/24"]},
        {"name": "core.200", "parent": "core", "vlan": 200, "mtu": 1400}])
    on = ["ip", "-n", lab.network.internet]
    process.run([*on, "addr", "flush", "dev", "net0"])
    for number in (100, 300):
        process.run([*on, "link", "add", "link", "net0", "name", f"net0.{number}", "type", "vlan",
                     "id", str(number)])
        process.run([*on, "link", "set", f"net0.{number}", "up"])
    process.run([*on, "addr", "add", f"{INTERNET}/24", "dev", "net0.100"])
    process.run([*on, "route", "add", TUNNEL_NET, "via", CORE])
    gateway.start()
    client = dial(lab)
    client.ping(INTERNET, 20)
    client.ping(INTERNET, 3, "-s 1372")
    # The kernel's own packets, by the sub-port's TAP.
    lab.network.exec(lab.network.gateway, "ping", "-n", "-q", "-c", "3", "-i", "0.1", "-W", "3",
                     INTERNET)
    gateway.expect_metric(20, "culvert_dataplane_port_rx_packets_total", port="core.100")
    gateway.expect_metric(20, "culvert_dataplane_port_tx_packets_total", port="core.100")
    expect(gateway.metric("culvert_dataplane_port_rx_packets_total", port="core.200") == 0,
           "another VLAN's port counts packets")
    # A VLAN that no port has.
    process.run([*on, "addr", "add", "203.0.113.1/24", "dev", "net0.300"])
    lab.network.exec(lab.network.internet, "ping", "-c", "2", "-i", "0.1", "-W", "1",
                     "203.0.113.2", check=False)
    gateway.expect_drops("frame_vlan_unknown")
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
    """Frames of 9000 octets through both core directions of a port and its TAP."""
    gateway = lab.configure(dataplane__ports=[
        port("access0", 0, "acc0", addresses=[f"{GATEWAY[0]}/24"], mtu=9000),
        port("core", 1, "core0", addresses=[f"{CORE}/24"], mtu=9000)])
    for namespace, interface in ((lab.network.internet, "net0"), (lab.network.gateway, "core0"),
                                 (lab.network.client(), "cli0"), (lab.network.gateway, "acc0")):
        process.run(["ip", "-n", namespace, "link", "set", interface, "mtu", "9000"])
    gateway.start()
    for size in ("8972", "4000", "56"):
        lab.network.exec(lab.network.internet, "ping", "-n", "-q", "-c", "3", "-i", "0.1", "-W",
                         "3", "-M", "do", "-s", size, CORE)
    dial(lab).ping(INTERNET)


@case("link-down-up")
def link_down_up(lab):
    """The way to the internet goes for a while; the call does not."""
    gateway = lab.start()
    client = dial(lab)
    client.ping(INTERNET)
    call = gateway.call(state="open")["id"]
    process.run(["ip", "-n", lab.network.internet, "link", "set", "net0", "down"])
    process.wait_for("the port's link to go", lambda: gateway.metric(
        "culvert_dataplane_port_link_up", port="core") == 0, 10)
    carrier = lab.network.exec(lab.network.gateway, "ip", "-o", "link", "show", "core").stdout
    expect("NO-CARRIER" in carrier, f"the TAP has a carrier: {carrier}")
    status, _ = client.try_run(f"ping -n -q -c 5 -i 0.1 -W 1 {INTERNET}")
    expect(status != 0, "the internet answers without a link")
    gateway.expect_drops("port_down", 5)
    process.run(["ip", "-n", lab.network.internet, "link", "set", "net0", "up"])
    process.run(["ip", "-n", lab.network.internet, "route", "replace", TUNNEL_NET, "via", CORE])
    process.wait_for("the port's link to come back", lambda: gateway.metric(
        "culvert_dataplane_port_link_up", port="core") == 1, 10)
    client.try_run(f"ping -n -q -c 2 -W 1 {INTERNET}")
    client.ping(INTERNET, 10)
    expect(gateway.call(state="open")["id"] == call, "it is not the same call")


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


def dataplane_pid(lab, gateway):
    """The data plane itself, not what put it into the namespace."""
    pids = lab.network.exec(lab.network.gateway, "ip", "netns", "pids",
                            lab.network.gateway).stdout.split()
    for pid in pids:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            if file.read().strip() == "culvert-dataplane"[:15]:
                return int(pid)
    raise process.Failure(f"no data plane among {pids} ({gateway.processes})")


@case("tap-full")
def tap_full(lab):
    """The thread that empties the rings to the TAPs stands still under a flood of frames for the
    kernel: they are dropped by name, and the call carries its traffic."""
    gateway = lab.start()
    client = dial(lab)
    frozen = Frozen(dataplane_pid(lab, gateway), "slow-path")
    try:
        def flood():
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
                sock.bind(("cli0", 0))
                frame = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x77" + b"\x08\x06" + bytes(46)
                for i in range(20000):
                    sock.send(frame)
                    if i % 200 == 0:
                        time.sleep(0.005)
        inside(lab.network.client(), flood)
        gateway.expect_drops("punt_port_full", 1000)
        gateway.expect_metric(1000, "culvert_dataplane_port_to_kernel_dropped_total",
                              port="access0")
        expect(gateway.metric("culvert_dataplane_port_to_kernel_dropped_total", port="core") == 0,
               "the other port counts them")
        output = client.run(f"ping -n -q -c 50 -i 0.02 -W 1 {INTERNET}")
        expect(" 0% packet loss" in output, f"the call lost packets: {output}")
    finally:
        frozen.thaw()
    lab.network.exec(lab.network.gateway, "ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W", "3",
                     INTERNET)
