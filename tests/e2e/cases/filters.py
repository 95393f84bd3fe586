"""Packet filters of calls: configured ones, and those that RADIUS gives and changes."""
from lab import process
from lab.case import case, expect
from lab.network import INTERNET, TUNNEL_GATEWAY
from lab.transfer import FileServer, get_command, make_file, put_command

from cases.radius import log_in, with_radius
from lab.freeradius import SECRET


def reaches(client, address):
    return client.try_run(f"ping -n -q -c 2 -i 0.2 -W 1 {address}")[0] == 0


def settled(client, address, wanted):
    """The first packet to a neighbour is lost while its address is resolved."""
    def there():
        return reaches(client, address) == wanted
    process.wait_for(f"ping to {address}: {wanted}", there, 10)


@case("filter-configured", limit=120)
def filter_configured(lab):
    """One port up and one kind of packet down are blocked; all else passes."""
    gateway = lab.start(
        policy={"filter": "web"},
        filters=[{"name": "other", "rules": ["deny in ip from any to any"]},
                 {"name": "web", "rules": [
                     f"deny in tcp from any to {INTERNET} {FileServer.PUT} setup",
                     "permit in ip from assigned to any",
                     "deny out icmp from any to assigned icmptypes 8",
                     "permit out ip from any to any"]}])
    client = lab.dial(mppe="128")
    address = client.up()
    client.route(f"{INTERNET}/32")
    settled(client, INTERNET, True)
    expect(gateway.call(state="open")["filter"] == "web", "culvertctl does not show the filter")
    path = lab.path("file")
    digest = make_file(path, 300_000)
    server = FileServer(lab.network.internet, path)
    lab.on_close(server.close)
    expect(client.run(get_command(INTERNET), 30) == digest, "the open port does not work")
    status, _ = client.try_run(f"timeout 3 bash -c '{put_command(INTERNET, path)}'")
    expect(status != 0 and server.received(1) is None, "the closed port works")
    gateway.expect_drops("filtered_upstream")
    expect(gateway.drops("filtered_downstream") == 0, "dropped downstream without reason")
    ping = lab.network.exec(lab.network.internet, "ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W",
                            "1", address, check=False)
    expect(ping.returncode != 0, "a ping from outside reaches the client")
    gateway.expect_drops("filtered_downstream", 3)
    settled(client, INTERNET, True)
    expect("filtered_upstream" in gateway.try_ctl("dataplane").stdout,
           "culvertctl dataplane does not show it")


@case("filter-radius", limit=150)
def filter_radius(lab):
    """Filter-Id in Access-Accept; CoA changes it; unknown ones are refused."""
    gateway, server = with_radius(
        lab, radius={"dynamic": {"listen": ["127.0.0.1"],
                                 "clients": [{"address": "127.0.0.1", "secret": SECRET}]}},
        auth__methods=["mschap-v2"],
        filters=[{"name": "no-ping", "rules": [f"deny in icmp from any to {INTERNET}"]},
                 {"name": "open", "rules": ["permit in ip from any to any"]}])
    lab.dial(user="misled", mppe="128").refused()
    expect('there is no filter named \\"nowhere\\"' in gateway.log("controlplane")
           or 'there is no filter named "nowhere"' in gateway.log("controlplane"),
           "the log does not say why")
    gateway.expect_metric(1, "culvert_filters_refused_total", reason="unknown")

    client, call = log_in(lab, gateway, "filtered", "10.77.0.207", "mschap-v2", mppe="128")
    expect(call["filter"] == "no-ping", f"filter {call.get('filter')}")
    client.route(f"{INTERNET}/32")
    expect(not reaches(client, INTERNET), "the filter lets a ping through")
    gateway.expect_drops("filtered_upstream", 2)
    who = ["User-Name = filtered"]

    code, answer = server.send("coa", [*who, "Idle-Timeout = 77", 'Filter-Id = "gold"'])
    expect(code == "CoA-NAK" and "Invalid-Attribute-Value" in answer, f"{code} {answer}")
    code, answer = server.send("coa", [*who, 'NAS-Filter-Rule = "permit in nothing"'])
    expect(code == "CoA-NAK" and "Invalid-Attribute-Value" in answer, f"{code} {answer}")
    expect("call changed" not in gateway.log("controlplane"), "a refused change did something")

    code, answer = server.send("coa", [*who, "Idle-Timeout = 77", 'Filter-Id = "open"'])
    expect(code == "CoA-ACK", f"{code} {answer}")
    settled(client, INTERNET, True)
    expect(gateway.call(state="open")["filter"] == "open", "culvertctl shows the old filter")

    rule = f"deny in icmp from assigned to {INTERNET}"
    code, answer = server.send("coa", [*who, f'NAS-Filter-Rule = "{rule}"'])
    expect(code == "CoA-ACK", f"{code} {answer}")
    expect(not reaches(client, INTERNET), "the rule of the server does nothing")
    client.ping(TUNNEL_GATEWAY)
    gateway.expect_metric(1, "culvert_filters", **{"from": "radius"})
    expect(client.hang_up() == 0, "the client did not end well")
    gateway.wait_calls(0)
    process.wait_for("the filter to go with its call",
                     lambda: gateway.metric("culvert_filters", **{"from": "radius"}) == 0, 5)
