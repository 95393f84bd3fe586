"""The configuration read again while calls are up."""
import signal

from lab.case import case, expect, process
from lab.network import TUNNEL_GATEWAY

POOL = {"name": "clients", "ranges": ["10.77.0.10-10.77.0.10"]}


@case("reload-pool")
def reload_pool(lab):
    """A full pool grows by `culvertctl reload`; a wrong file changes nothing; SIGHUP shrinks the pool
    under a call, which goes on."""
    gateway = lab.start(clients=2, pools=[POOL])
    first = lab.dial()
    expect(first.up() == "10.77.0.10", "the first client did not get the pool's one address")
    lab.dial(1, user="bob", password="other secret").refused()

    gateway.config["pools"] = [dict(POOL, ranges=["10.77.0.10-10.77.0.11"])]
    gateway.config["ppp"]["mtu"] = 3
    gateway.write_config()
    wrong = gateway.try_ctl("reload")
    expect(wrong.returncode == 2 and "ppp.mtu" in wrong.stderr,
           f"a wrong file: status {wrong.returncode}, {wrong.stderr}")
    del gateway.config["ppp"]["mtu"]
    gateway.config["metrics"]["listen"] = "127.0.0.1:9465"
    gateway.write_config()
    told = gateway.try_ctl("reload")
    expect(told.returncode == 0 and "pools[0].ranges" in told.stdout
           and "metrics.listen" in told.stdout.split("needs a restart:")[-1],
           f"culvertctl reload says {told.stdout} {told.stderr}")
    second = lab.dial(1, user="bob", password="other secret")
    expect(second.up() == "10.77.0.11", "the second client did not get the new address")
    first.ping(TUNNEL_GATEWAY)

    gateway.config["pools"] = [dict(POOL, ranges=["10.77.0.11-10.77.0.11"])]
    gateway.write_config()
    gateway.processes["controlplane"].send_signal(signal.SIGHUP)
    process.wait_for("the file to be read again", lambda: gateway.log("controlplane").count(
        "configuration read again: applied pools[0].ranges") == 2, 10)
    first.ping(TUNNEL_GATEWAY)
    expect(first.hang_up() == 0, "the first client did not end well")
    lab.dial().refused()
    second.ping(TUNNEL_GATEWAY)
