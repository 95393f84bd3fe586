"""Encrypted calls of a real client, stateless and stateful, over a path that loses and reorders."""
import re
import time

from cases.traffic import open_call, transfer
from lab import process
from lab.case import case, expect
from lab.network import INTERNET, TUNNEL_GATEWAY

SMALL_FILE = 1000 * 1000
# In the client's kernel, on its outer interface: out by netem, in by a random drop.
_MODULES = "modprobe -a -d /run/modules sch_netem sch_ingress cls_matchall act_gact"


def stateful_call(lab):
    gateway, client = open_call(lab, mppe="128-stateful", ppp__mppe_stateful="allow")
    expect("MPPE 128-bit stateful" in client.text(), "pppd does not say that MPPE is stateful")
    return gateway, client


def worsen(client, netem, drop_one_in=0):
    client.run(f"{_MODULES}; tc qdisc add dev vec0 root netem {netem}")
    if drop_one_in:
        client.run("tc qdisc add dev vec0 ingress && tc filter add dev vec0 ingress matchall "
                   f"action pass random netrand drop {drop_one_in}")


def mend(client):
    """Takes the faults away; returns how many packets netem has lost on the way out."""
    lost = re.search(r"dropped (\d+)", client.run("tc -s qdisc show dev vec0 root"))
    client.run("tc qdisc del dev vec0 root; tc qdisc del dev vec0 ingress 2>/dev/null; true")
    return int(lost[1])


def expect_alive(gateway, client):
    """The same call, and not one packet is lost on it."""
    client.try_run(f"ping -n -q -c 3 -i 0.6 -W 1 {TUNNEL_GATEWAY}")
    client.ping(TUNNEL_GATEWAY, 20)
    client.ping(INTERNET, 20)
    expect(len(gateway.calls()) == 1, "there is more than the one call")


def packets(client, direction):
    return int(client.run(f'cat "/sys/class/net/$PPP_IFACE/statistics/{direction}_packets"'))


@case("mppe-stateful", limit=150)
def mppe_stateful(lab):
    """Through several wraps of the count, and not one frame is refused."""
    gateway, client = stateful_call(lab)
    before = int(gateway.call(state="open")["drops"])
    transfer(lab, gateway, client, 8 * SMALL_FILE)
    expect(packets(client, "tx") > 4096 and packets(client, "rx") > 4096, "the count never wrapped")
    time.sleep(1.2)     # a round of counters
    drops = int(gateway.call(state="open")["drops"])
    expect(drops == before, f"{drops - before} packets were dropped")


@case("mppe-stateful-loss", limit=200)
def mppe_stateful_loss(lab):
    """Each loss on the way to the client is mended by its Reset-Request."""
    gateway, client = stateful_call(lab)
    worsen(client, "loss 1%", drop_one_in=100)
    transfer(lab, gateway, client, SMALL_FILE)
    expect(mend(client) > 0, "nothing was lost on the way to the gateway")
    expect_alive(gateway, client)
    expect("CCP ResetReq" in client.text(), "pppd has neither sent nor seen a Reset-Request")


@case("mppe-loss", limit=150)
def mppe_loss(lab):
    gateway, client = open_call(lab)
    worsen(client, "loss 2%", drop_one_in=50)
    transfer(lab, gateway, client, SMALL_FILE)
    expect(mend(client) > 0, "nothing was lost on the way to the gateway")
    expect_alive(gateway, client)


def reordered_pings(client):
    """400 pings whose packets overtake each other before they leave the client; the answers."""
    worsen(client, "delay 10ms reorder 30%")
    text = client.try_run(f"ping -n -q -l 3 -c 400 -i 0.005 -W 2 {TUNNEL_GATEWAY}")[1]
    mend(client)
    return int(re.search(r"(\d+) received", text)[1])


@case("reordering")
def reordering(lab):
    """Packets that overtake each other are put in order: none is late, none is lost."""
    gateway, client = open_call(lab, pptp__reorder_delay_ms=100)
    answers = reordered_pings(client)
    expect(answers == 400, f"{answers} answers to 400 pings")
    expect(gateway.drops("sequence_late") == 0, "a packet was late")


@case("reordering-off")
def reordering_off(lab):
    """Without a window those that were overtaken are dropped, by name."""
    gateway, client = open_call(lab, pptp__reorder_packets=0)
    answers = reordered_pings(client)
    gateway.expect_drops("sequence_late", 10)
    expect(answers <= 390, f"{answers} answers to 400 pings")
    expect_alive(gateway, client)


def _pptp_test(kind):
    @case(f"pptp-test-type-{kind}", limit=120)
    def pptp_test(lab):
        """The client's own reordering: swaps two packets, delays one by ten, reverses ten."""
        gateway, client = open_call(
            lab, options=("--pptp-option", f"--test-type {kind} --test-rate 50"))
        # It holds packets back until later ones come: something has to follow a file's end.
        client.run(f"ping -n -q -i 0.2 {TUNNEL_GATEWAY} -w 90 >/dev/null 2>&1 &")
        transfer(lab, gateway, client, SMALL_FILE)
        client.ping(TUNNEL_GATEWAY, 5)
        expect(len(gateway.calls()) == 1, "there is more than the one call")


for _kind in (1, 2, 3):
    _pptp_test(_kind)
