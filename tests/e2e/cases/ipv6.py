"""IPv6 inside calls: IPV6CP, router advertisements, DHCPv6 with prefix delegation."""
import ipaddress
import re
import time

from lab import process
from lab.case import case, expect
from lab.network import TUNNEL_GATEWAY

CORE6, INTERNET6 = "2001:db8:c::1", "2001:db8:c::2"
CLIENTS6 = "2001:db8:1000::/36"
GATEWAY6 = "2001:db8:f::1"
DNS6 = "2001:db8:c::53"


def start(lab, **ipv6):
    """A gateway whose calls have IPv6, and a host behind it."""
    gateway = lab.configure(ppp__ipv6="allow", ipv6={
        "pools": [{"name": "links", "prefixes": ["2001:db8:1000::/40"], "length": 64},
                  {"name": "homes", "prefixes": ["2001:db8:1100::/40"], "length": 56}],
        "pool": "links", "delegated_pool": "homes", "dns": [DNS6], **ipv6})
    dataplane = gateway.config["dataplane"]
    dataplane["memory_mb"] = 512    # routes of IPv6 take some 110 MB
    dataplane["ports"][-1]["addresses"].append(f"{CORE6}/64")
    dataplane["clients"]["addresses"].append(f"{GATEWAY6}/128")
    dataplane["clients"]["routes"].append(CLIENTS6)
    gateway.write_config()
    lab.network.add_ipv6(f"{INTERNET6}/64", CORE6, CLIENTS6)
    return gateway.start()


def open_call(lab, gateway):
    """A client with an address by router advertisement; returns it and that address."""
    client = lab.dial(options=["--ipv6"])
    client.up()

    def address():
        text = client.run('ip -6 addr show dev "$PPP_IFACE" scope global')
        return re.findall(r"inet6 (\S+)/64", text)
    found = process.wait_for("an address by router advertisement", address, 10)
    # The first packet to a neighbour is lost while the kernel resolves its address.
    client.try_run(f"ping -n -q -c 1 -W 1 {INTERNET6}; ping -n -q -c 1 -W 1 {INTERNET6}")
    return client, found[0]


def ping_from_internet(lab, address):
    lab.network.exec(lab.network.internet, "ping", "-n", "-q", "-c", "3", "-i", "0.1", "-W", "3",
                     address)


@case("ipv6-ping")
def ipv6_ping(lab):
    """IPV6CP, SLAAC by the client's kernel, pings both ways through MPPE-128; IPv4 beside it."""
    gateway = start(lab)
    client, address = open_call(lab, gateway)
    call = gateway.call(state="open")
    expect(call["mppe"] == "128", f"mppe is {call['mppe']}")
    expect(call.get("ipv6_prefix", "").startswith("2001:db8:10"), f"the call shows {call}")
    link_local = client.run("echo $PPP_LOCAL6")     # pppd writes an octet's leading zero
    expect(ipaddress.ip_address(call["ipv6_link_local"]) == ipaddress.ip_address(link_local),
           f"{call['ipv6_link_local']} instead of {link_local}")
    client.ping(INTERNET6)
    client.ping(GATEWAY6)
    client.ping('"$PPP_REMOTE6%$PPP_IFACE"')
    client.ping(INTERNET6, options="-s 1300")
    client.ping(TUNNEL_GATEWAY)
    ping_from_internet(lab, address)
    gateway.expect_metric(1, "culvert_ipv6_advertisements_total")
    expect(gateway.drops("clear_data") == 0, "something came in clear")
    expect(client.hang_up() == 0, "the session did not end well")
    gateway.wait_calls(0)


@case("ipv6-spoofed")
def ipv6_spoofed(lab):
    """A source that is not in the call's prefix is dropped; the call's own is not."""
    gateway = start(lab)
    client, _ = open_call(lab, gateway)
    client.run('ip -6 addr add 2001:db8:dead::1/128 dev lo')
    status, _ = client.try_run(f"ping -n -q -c 2 -i 0.2 -W 1 -I 2001:db8:dead::1 {INTERNET6}")
    expect(status != 0, "a spoofed ping was answered")
    gateway.expect_drops("source_spoofed", 2)
    client.ping(INTERNET6)


DHCP6C = """
interface {interface} {{
    send ia-pd 1;
    request domain-name-servers;
}};
id-assoc pd 1 {{}};
"""


@case("ipv6-delegation")
def ipv6_delegation(lab):
    """A real DHCPv6 client gets a prefix, which is routed to it until it gives it back."""
    gateway = start(lab)
    client, _ = open_call(lab, gateway)
    expect(not gateway.call(state="open").get("ipv6_delegated_prefix"), "delegated unasked")
    interface = client.run("echo $PPP_IFACE")
    path = lab.path("dhcp6c.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(DHCP6C.format(interface=interface))
    # Its DUID goes where the guest may not write.
    client.run("mkdir -p /run/dhcp6 && mount -t tmpfs tmpfs /var/lib/dhcpv6 && "
               "printf '\\012\\000\\000\\003\\000\\001\\002\\000\\000\\000\\000\\001' "
               "> /var/lib/dhcpv6/dhcp6c_duid; "
               f"dhcp6c -f -D -p /run/dhcp6c.pid -c {path} {interface} > /run/dhcp6c.log 2>&1 &")

    def delegated():
        return gateway.call(state="open").get("ipv6_delegated_prefix")
    try:
        prefix = process.wait_for("the delegated prefix", delegated, 15)
    except process.Failure:
        raise process.Failure("no prefix: " + client.run("tail -n 20 /run/dhcp6c.log")) from None
    expect(prefix.endswith("::/56"), f"the prefix is {prefix}")
    log = client.run("cat /run/dhcp6c.log")
    expect(prefix.removesuffix("/56") in log and DNS6 in log, f"the client's log: {log[-400:]}")
    inside = prefix.removesuffix("::/56") + ":42::1"
    client.run(f"ip -6 addr add {inside}/128 dev lo")
    ping_from_internet(lab, inside)
    client.ping(INTERNET6, options=f"-I {inside}")
    client.run("kill $(cat /run/dhcp6c.pid)")       # it says Release
    process.wait_for("the release", lambda: not delegated(), 10)
    time.sleep(0.2)
    status, _ = client.try_run(f"ping -n -q -c 1 -W 1 -I {inside} {INTERNET6}")
    expect(status != 0, "a released prefix is still the client's")
    client.ping(INTERNET6)
    expect(client.hang_up() == 0, "the session did not end well")
