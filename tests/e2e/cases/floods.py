"""Floods of packets to be dropped, beside a real client: its packets all come through."""
import json
import re

from lab import process
from lab.case import case, expect
from lab.gateway import find_binary
from lab.network import CLIENT, GATEWAY, INTERNET, TUNNEL_GATEWAY

SECONDS = 4
SOURCE = "10.99.1.66"       # behind the flooded port; no call's peer
# What each flood is dropped for. Fragments may not get there: the kernel puts together what passes a
# packet socket of DPDK's (PACKET_FANOUT_FLAG_DEFRAG), and keeps what never gets whole.
KINDS = {
    "garbage": ["gre_protocol"],
    "unknown-call": ["call_unknown"],
    "known-call": ["call_wrong_peer"],
    "fragments": ["call_wrong_peer", "outer_fragment_evicted", "outer_fragment_timeout"],
    "late-fragments": ["outer_fragment_full", "outer_fragment_evicted", "outer_fragment_timeout"],
}

_LATEST = {}    # kind -> readings of its counters


def mac_of(lab, gateway):
    """The Ethernet address of the port that gets flooded."""
    network = lab.network
    process.run(["ip", "-n", network.client(1), "addr", "add", f"{CLIENT[1]}/24", "dev", "cli1"])
    network.exec(network.client(1), "ping", "-n", "-q", "-c", "2", "-W", "2", gateway)
    shown = process.run(["ip", "-n", network.client(1), "neigh", "show", gateway]).stdout
    return re.search(r"lladdr (\S+)", shown)[1]


def missed(gateway):
    """What receive queues and the pool of buffers had no room for."""
    return gateway.metric("culvert_dataplane_port_rx_missed_total") + \
        gateway.metric("culvert_dataplane_port_rx_no_buffer_total")


def flood(lab, kind):
    gateway = lab.start(clients=2)
    client = lab.dial(0)
    client.up()
    client.route(f"{INTERNET}/32")
    client.ping(TUNNEL_GATEWAY)
    client.ping(INTERNET)
    call = gateway.call(state="open")
    mac = mac_of(lab, GATEWAY[1])
    before = {reason: gateway.drops(reason) for reason in KINDS[kind]}
    missed_before = missed(gateway)
    pings = client.start(f"ping -n -q -c 300 -i 0.01 -W 3 {INTERNET}")
    done = lab.network.exec(lab.network.client(1), find_binary(gateway.build, "culvert-flood"),
                            kind, "cli1", mac, SOURCE, GATEWAY[0], str(call["call_id"]),
                            str(SECONDS), timeout=SECONDS + 20)
    sent = json.loads(done.stdout)["sent"]
    _, output = client.finish(pings)
    found = re.search(r"(\d+) packets transmitted, (\d+) received", output)
    expect(found, f"no result of ping: {output[-200:]}")
    lost = int(found[1]) - int(found[2])
    process.wait_for("the counters to stand still", lambda: steady(gateway, kind), 10, 1.2)
    dropped = sum(gateway.drops(reason) - before[reason] for reason in KINDS[kind])
    in_queue = missed(gateway) - missed_before
    print(f"{kind}: {sent / SECONDS:.0f} packets/s sent, {dropped / SECONDS:.0f}/s dropped, "
          f"{in_queue / SECONDS:.0f}/s missed by the receive queue; of {found[1]} pings {lost} lost")
    expect(dropped + in_queue <= sent * 1.001 + 10, f"{dropped:g} dropped of {sent}")
    expect(sent > 10000, f"only {sent:g} packets sent")
    expect(dropped > 10000 or "fragments" in kind, f"only {dropped:g} packets of the flood arrived")
    # The client's port is another one; its queue must have had room.
    expect(lost <= missed_of(gateway, "access0"), f"{lost} of {found[1]} pings lost")
    client.ping(TUNNEL_GATEWAY)
    expect(gateway.call(state="open")["id"] == call["id"], "it is not the same call")


def missed_of(gateway, port):
    return gateway.metric("culvert_dataplane_port_rx_missed_total", port=port)


def steady(gateway, kind):
    """Counters are polled each second: two readings in a row alike."""
    now = [gateway.drops(reason) for reason in KINDS[kind]]
    was, _LATEST[kind] = _LATEST.get(kind), now
    return now == was


for _kind in KINDS:
    case(f"flood-{_kind}", 120)(lambda lab, kind=_kind: flood(lab, kind))
