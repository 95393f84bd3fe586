"""A control plane of several threads, with clients on each."""
from lab.case import Failure, case, expect, process
from lab.network import TUNNEL_GATEWAY

MAX_DIALS = 8   # the kernel chooses the shard: each time the chance is a half


def dial_other_shard(lab, gateway, index, taken, **options):
    """A client whose call is on another one of two shards than the Call ID `taken`."""
    for _ in range(MAX_DIALS):
        client = lab.dial(index, **options)
        client.up()
        call = gateway.call(user=options["user"], state="open")
        if call["call_id"] % 2 != taken % 2:
            return client, call
        expect(client.hang_up() == 0, "the client did not end well")
        gateway.wait_calls(1)
    raise Failure("all connections came to one shard")


@case("two-shards", limit=240)
def two_shards(lab):
    """Clients on two shards: traffic of both, a change, an end by the operator, a new login."""
    gateway = lab.start(clients=2, control={"shards": 2})
    alice = lab.dial()
    alice.up()
    first = gateway.call(user="alice", state="open")
    bob, second = dial_other_shard(lab, gateway, 1, first["call_id"], user="bob",
                                   password="other secret")
    for client in (alice, bob):
        client.ping(TUNNEL_GATEWAY)
    expect(first["client_address"] != second["client_address"], "both have one address")
    gateway.expect_metric(2, "culvert_calls", state="open")
    for call in (first, second):
        expect(gateway.try_ctl("terminate", call["id"]).returncode == 0, "terminate failed")
        process.wait_for("the call to end", lambda gone=call: all(
            left["id"] != gone["id"] for left in gateway.calls()), 6)
    again = lab.dial(1, user="bob", password="other secret")
    again.up()
    again.ping(TUNNEL_GATEWAY)
