"""The life of a call: up, down, again, ended by the operator or by the end of the process."""
import json
import subprocess
import time

from lab import process
from lab.case import case, expect
from lab.network import INTERNET, TUNNEL_GATEWAY

CALL_DISCONNECT_NOTIFY = 13


@case("redial")
def redial(lab):
    """Hang-up frees everything; the same client gets in again."""
    gateway = lab.start()
    first = lab.dial()
    first.up()
    before = gateway.call(state="open")
    expect(first.hang_up() == 0, "the first session did not end well")
    gateway.wait_calls(0)
    second = lab.dial()
    second.up()
    second.ping(TUNNEL_GATEWAY)
    after = gateway.call(state="open")
    expect(before["id"] != after["id"], f"both calls have id {before['id']}")
    expect(second.hang_up() == 0, "the second session did not end well")
    gateway.wait_calls(0)


@case("terminate")
def terminate(lab):
    """culvertctl terminate during traffic: CDN, the client's link goes down, the table is empty."""
    gateway = lab.start()
    tap = lab.tap()
    client = lab.dial()
    client.up()
    client.route(f"{INTERNET}/32")
    client.run(f"ping -n -q -i 0.01 {INTERNET} >/dev/null 2>&1 &")
    time.sleep(0.5)
    expect(gateway.try_ctl("terminate", "--user", "nobody").returncode != 0,
           "terminating nobody's call succeeds")
    call = gateway.call(state="open")
    ended = gateway.ctl("terminate", call["id"])
    expect(call["id"] in json.dumps(ended), f"terminate answers {ended}")
    gateway.wait_calls(0, 6)
    process.wait_for("a Call-Disconnect-Notify",
                     lambda: CALL_DISCONNECT_NOTIFY in tap.control_messages("10.99.0.1"), 5)
    process.wait_for("pppd to end", lambda: "LCP terminated by peer" in client.text()
                     or "Modem hangup" in client.text() or "Connection terminated" in client.text(),
                     10)


@case("sigterm")
def sigterm(lab):
    """SIGTERM with an open call: the client gets a CDN, both processes end within 5 s."""
    gateway = lab.start()
    tap = lab.tap()
    client = lab.dial()
    client.up()
    gateway.call(state="open")
    gateway.stop()
    expect(CALL_DISCONNECT_NOTIFY in tap.control_messages("10.99.0.1"),
           f"no Call-Disconnect-Notify among {tap.control_messages('10.99.0.1')}")


@case("pool-empty")
def pool_empty(lab):
    """The second of two clients of a pool with one address is refused; the first keeps its call."""
    gateway = lab.start(clients=2, pools=[{"name": "tiny", "ranges": ["10.77.0.10-10.77.0.10"]}])
    first = lab.dial(0)
    expect(first.up() == "10.77.0.10", "not the pool's address")
    second = lab.dial(1, user="bob", password="other secret")
    second.refused()
    gateway.wait_calls(1)
    expect("tiny" in gateway.log("controlplane") or "pool" in gateway.log("controlplane"),
           "the log does not say that the pool is empty")
    first.ping(TUNNEL_GATEWAY)
    expect(first.hang_up() == 0, "the first session did not end well")
    third = lab.dial(0)
    expect(third.up() == "10.77.0.10", "the address did not come back")


@case("watch")
def watch(lab):
    """culvertctl calls watch tells of a call's life, as JSON lines."""
    gateway = lab.start()
    lines = lab.path("watch.json")
    watcher = process.start(gateway.command("culvertctl", "--socket",
                                            gateway.config["management"]["socket"],
                                            "calls", "watch", "-o", "json"), lines)
    client = lab.dial()
    client.up()
    client.ping(TUNNEL_GATEWAY)
    client.hang_up()
    gateway.wait_calls(0)
    process.wait_for("a DOWN event", lambda: '"DOWN"' in process.tail(lines, 50), 5)
    process.stop(watcher)
    with open(lines, encoding="utf-8") as file:
        kinds = [json.loads(line)["kind"] for line in file if line.startswith("{")]
    order = [k for k in kinds if k in ("STARTED", "AUTHENTICATED", "UP", "DOWN")]
    expect(order == ["STARTED", "AUTHENTICATED", "UP", "DOWN"], f"events: {kinds}")


@case("table")
def table(lab):
    """What people see: a table with the call in it, and errors that name the object."""
    gateway = lab.start()
    client = lab.dial()
    address = client.up()
    shown = gateway.try_ctl("calls").stdout
    expect("alice" in shown and address in shown and "\x1b" not in shown, f"the table: {shown!r}")
    unknown = gateway.try_ctl("terminate", "00000000deadbeef")
    expect(unknown.returncode != 0 and "deadbeef" in unknown.stderr, f"says {unknown.stderr!r}")
    dead = subprocess.run([gateway.command("culvertctl")[-1], "--socket", lab.path("nothing"),
                           "calls"], capture_output=True, text=True, timeout=20, check=False)
    expect(dead.returncode != 0 and "nothing" in dead.stderr, f"no socket: {dead.stderr!r}")


@case("trace")
def trace(lab):
    """culvertctl shows the steps that a call's packets take, and what the workers have done."""
    gateway = lab.start()
    client = lab.dial()
    client.up()
    call = gateway.call(state="open")
    client.run(f"ping -n -q -i 0.2 {TUNNEL_GATEWAY} >/dev/null 2>&1 &")
    shown = gateway.try_ctl("trace", "--call", call["id"], "--count", "4")
    expect(shown.returncode == 0, f"trace: {shown.stderr}")
    for step in ("sequence", "mppe_decrypt", "anti_spoof", "mppe_encrypt", "ppp_output"):
        expect(step in shown.stdout, f"no step {step} in {shown.stdout}")
    dataplane = json.dumps(gateway.ctl("dataplane"))
    for word in ("mppe_decrypt", "rounds", "icmp_errors", "access0"):
        expect(word in dataplane, f"no {word} in culvertctl dataplane -o json: {dataplane[:500]}")
    table = gateway.try_ctl("dataplane").stdout
    expect("ICMP ERRORS" in table and "access0" in table, f"the table lacks columns: {table}")
