"""Culvert and a real FreeRADIUS: logins, accounting, changes and ends of calls by the server."""
from lab.case import case, expect, process
from lab.freeradius import AUTH, SECRET, FreeRadius
from lab.network import TUNNEL_GATEWAY

USERS = """
pap Cleartext-Password := "secret"
\tFramed-IP-Address = 10.77.0.201, Class = 0x70617001
chap Cleartext-Password := "secret"
\tFramed-IP-Address = 10.77.0.202
mschap Cleartext-Password := "secret"
\tFramed-IP-Address = 10.77.0.203
alice Cleartext-Password := "secret"
\tFramed-IP-Address = 10.77.0.204, Class = 0x676f6c64, Session-Timeout = 3600,
\tIdle-Timeout = 600, Acct-Interim-Interval = 60, WISPr-Bandwidth-Max-Up = 5000000,
\tChargeable-User-Identity = 0x637569, Session-Octets-Limit = 1000000000
eapms Cleartext-Password := "secret", EAP-Type := MSCHAPv2
\tFramed-IP-Address = 10.77.0.205
tls EAP-Type := TLS
\tFramed-IP-Address = 10.77.0.206
filtered Cleartext-Password := "secret"
\tFramed-IP-Address = 10.77.0.207, Filter-Id = "no-ping"
misled Cleartext-Password := "secret"
\tFramed-IP-Address = 10.77.0.208, Filter-Id = "nowhere"
"""


def with_radius(lab, radius=None, tls=False, spool=None, **overrides):
    """A gateway whose users are those of a FreeRADIUS; returns both, started."""
    host, port = AUTH.split(":")
    settings = {"retransmit_ms": 500, "tries": 2, "deadline_s": 3, **(radius or {}),
                "servers": [{"name": "first", "address": host, "secret": SECRET,
                             "auth_port": int(port), "dead_time_s": 1}]}
    overrides.setdefault("ppp__mppe", "allow")
    overrides.setdefault("accounting", {})["spool"] = spool or lab.path("spool.sqlite")
    gateway = lab.configure(auth__backends=["radius"], auth__chap_secrets_file="",
                            radius=settings, **overrides)
    server = FreeRadius(lab.network, lab.directory, USERS, tls)
    lab.on_close(server.stop)
    server.start()
    return gateway.start(), server


def log_in(lab, gateway, user, address, shown, **options):
    """One real client from login to traffic; returns (client, the call as culvertctl shows it)."""
    client = lab.dial(user=user, **options)
    got = client.up()
    expect(got == address, f"{user} got {got}, not the server's {address}")
    client.ping(TUNNEL_GATEWAY)
    call = gateway.call(user=user, state="open")
    expect(call["auth"] == shown, f"{user} came in by {call['auth']}, not {shown}")
    return client, call


def heard_the_end(client):
    process.wait_for("pppd to end", lambda: "LCP terminated by peer" in client.text(), 10)


def accounted(server, user, call):
    """The one Start and the one Stop that the server got of a call."""
    wanted = {"Acct_Session_Id": call["id"], "User_Name": user,
              "Framed_IP_Address": call["client_address"]}
    stops = server.wait_accounting(Acct_Status_Type="Stop", **wanted)
    starts = server.accounting(Acct_Status_Type="Start", **wanted)
    expect(len(starts) == 1 and len(stops) == 1, f"{len(starts)} Starts, {len(stops)} Stops")
    return starts[0], stops[0]


@case("radius-logins", limit=150)
def radius_logins(lab):
    gateway, server = with_radius(lab, auth__methods=["mschap-v2", "mschap", "chap-md5", "pap"])
    for user, address, auth, options in (
            ("pap", "10.77.0.201", "pap", {"auth": "pap", "mppe": "none"}),
            ("chap", "10.77.0.202", "chap-md5", {"auth": "chap", "mppe": "none"}),
            ("mschap", "10.77.0.203", "mschap", {"auth": "mschap", "mppe": "128"}),
            ("alice", "10.77.0.204", "mschap-v2", {"auth": "mschap-v2", "mppe": "128"})):
        client, call = log_in(lab, gateway, user, address, auth, **options)
        expect(call["mppe"] == options["mppe"], f"{user} has MPPE {call['mppe']}")
        expect(client.hang_up() == 0, "the client did not end well")
        start, stop = accounted(server, user, call)
        expect(stop["Acct-Terminate-Cause"] == "User-Request",
               f"{user}: {stop['Acct-Terminate-Cause']}")
        expect(start.get("Class") == stop.get("Class"), "Class did not come back in both")
        expect(int(stop["Acct-Input-Packets"]) >= 3 and int(stop["Acct-Output-Octets"]) >= 3 * 84,
               f"three pings are missing in {stop}")
    gateway.wait_calls(0)
    refused = lab.dial(user="alice", password="dont-tell-4711")
    expect("E=691 R=0" in refused.refused(), "no CHAP Failure with E=691 R=0")
    expect("dont-tell-4711" not in gateway.log("controlplane"), "the password is in the log")
    expect(SECRET not in gateway.log("controlplane"), "the shared secret is in the log")
    gateway.expect_metric(1, "culvert_authentications_total", result="reject")
    expect("Access-Reject" in server.text(), "the server did not refuse")


@case("radius-eap", limit=150)
def radius_eap(lab):
    """Methods that only the server and the client know: the packets pass through Culvert."""
    gateway, server = with_radius(lab, tls=True, auth__methods=["eap"])
    client, _ = log_in(lab, gateway, "chap", "10.77.0.202", "eap", auth="eap", mppe="none")
    expect(client.hang_up() == 0, "the client did not end well")
    client, call = log_in(lab, gateway, "eapms", "10.77.0.205", "eap", auth="eap", mppe="128")
    expect(call["mppe"] == "128", f"MPPE {call['mppe']} with EAP-MSCHAPv2's keys")
    expect(client.hang_up() == 0, "the client did not end well")
    files = [f"{name} {server.path(file)}" for name, file in
             (("ca", "ca.pem"), ("cert", "alice.pem"), ("key", "alice.key"))]
    options = [word for option in files for word in ("--pppd-option", option)]
    client, call = log_in(lab, gateway, "tls", "10.77.0.206", "eap", auth="eap", mppe="128",
                          options=options)
    expect(call["mppe"] == "128", f"MPPE {call['mppe']} with EAP-TLS's keys")
    expect(client.hang_up() == 0, "the client did not end well")
    _, stop = accounted(server, "tls", call)
    expect(stop["MS-Acct-EAP-Type"] == "TLS", f"no EAP method in {stop}")
    hosts = [value for name, value in stop.items() if name.startswith("Tunnel-Client-Auth-Id")]
    expect(hosts == ["local"], f"the host names {hosts} in {stop}")
    refused = lab.dial(user="chap", password="wrong", auth="eap", mppe="none")
    refused.refused()
    expect("Access-Reject" in server.text(), "the server did not refuse")


@case("radius-coa", limit=120)
def radius_coa(lab):
    """radclient changes and ends the call of a real client."""
    gateway, server = with_radius(
        lab, radius={"dynamic": {"listen": ["127.0.0.1"],
                                 "clients": [{"address": "127.0.0.1", "secret": SECRET}]}},
        auth__methods=["mschap-v2"])
    client, call = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    who = [f'Acct-Session-Id = "{call["id"]}"', "Framed-IP-Address = 10.77.0.204"]

    def refused(cause, *attributes, kind="coa"):
        code, answer = server.send(kind, attributes)
        expect(code in ("CoA-NAK", "Disconnect-NAK") and cause in answer,
               f"{attributes}: {code} {answer} instead of {cause}")

    refused("Session-Context-Not-Found", "User-Name = nobody", "Session-Timeout = 60")
    refused("Session-Context-Not-Found", "User-Name = bob", *who, kind="disconnect")
    refused("NAS-Identification-Mismatch", "NAS-Identifier = other", *who, kind="disconnect")
    refused("Unsupported-Attribute", *who, "Session-Timeout = 60", "Framed-MTU = 1400")
    refused("Invalid-Attribute-Value", *who, "Idle-Timeout = 7", "Acct-Interim-Interval = 5")
    code, _ = server.send("disconnect", who, secret="guess")
    expect(code == "none", f"a stranger was answered: {code}")
    gateway.expect_metric(1, "culvert_radius_dynamic_dropped_total", reason="bad-authenticator")
    expect("call changed" not in gateway.log("controlplane"), "something was changed by a refusal")

    code, answer = server.send("coa", [*who, "WISPr-Bandwidth-Max-Up = 2000000", "Class = 0x6e6577",
                                       "Session-Timeout = 1800", "Idle-Timeout = 60",
                                       'Filter-Id = "silver"'])
    expect(code == "CoA-ACK", f"{code} {answer}")
    expect("up=2000000 down=- session_timeout=1800 idle_timeout=60" in
           gateway.log("controlplane"), "the change is not in the log")
    client.ping(TUNNEL_GATEWAY)
    refused("Missing-Attribute", 'Called-Station-Id = "10.0.0.1"', kind="disconnect")
    code, answer = server.send("coa", [*who, "Session-Octets-Limit = 2000000000",
                                       'Mikrotik-Address-List = "debtors"'])
    expect(code == "CoA-ACK", f"{code} {answer}")
    expect("quota=2000000000" in gateway.log("controlplane"), "the quota is not in the log")
    code, answer = server.send("disconnect", ["Chargeable-User-Identity = 0x637569"])
    expect(code == "Disconnect-ACK", f"{code} {answer}")
    gateway.wait_calls(0, 2)
    heard_the_end(client)
    start, stop = accounted(server, "alice", call)
    expect(start["Class"] == "0x676f6c64" and stop["Class"] == "0x6e6577",
           f"Class {start['Class']}, then {stop['Class']}")
    expect(stop["Acct-Terminate-Cause"] == "Admin-Reset", stop["Acct-Terminate-Cause"])
    expect(stop["Chargeable-User-Identity"] == "0x637569", f"no identity in {stop}")
    refused("Session-Context-Not-Found", "User-Name = alice", kind="disconnect")


@case("radius-coa-session-timeout", limit=90)
def radius_coa_session_timeout(lab):
    """A Session-Timeout that has passed already ends the call."""
    gateway, server = with_radius(
        lab, radius={"dynamic": {"listen": ["127.0.0.1"],
                                 "clients": [{"address": "127.0.0.0/8", "secret": SECRET}]}},
        auth__methods=["mschap-v2"])
    client, call = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    code, answer = server.send("coa", ["User-Name = alice", "Session-Timeout = 1"])
    expect(code == "CoA-ACK", f"{code} {answer}")
    gateway.wait_calls(0)
    heard_the_end(client)
    _, stop = accounted(server, "alice", call)
    expect(stop["Acct-Terminate-Cause"] == "Session-Timeout", stop["Acct-Terminate-Cause"])
    gateway.expect_metric(1, "culvert_calls_ended_total", reason="session-timeout")


def shown_servers(gateway, **states):
    """Waits until `culvertctl radius` shows these states by service; what it shows."""
    shown = {}

    def has():
        shown.update((server["service"], server) for server in gateway.ctl("radius")["servers"])
        return all(shown[service]["state"] == state for service, state in states.items())
    process.wait_for(f"RADIUS servers to be {states}", has, 15)
    return shown


@case("radius-server-death", limit=150)
def radius_server_death(lab):
    gateway, server = with_radius(lab, auth__methods=["mschap-v2"])
    client, call = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    shown_servers(gateway, authentication="ALIVE", accounting="ALIVE")
    server.stop()
    client.ping(TUNNEL_GATEWAY)
    expect(client.hang_up() == 0, "the client did not end well")
    lab.dial(user="alice").refused()
    shown_servers(gateway, authentication="DEAD", accounting="DEAD")
    up = gateway.metric("culvert_radius_server_up", service="authentication")
    gateway.expect_metric(1, "culvert_radius_timeouts_total", service="authentication")
    expect(up == 0, f"culvert_radius_server_up is {up}")
    server.start()
    access = shown_servers(gateway, authentication="ALIVE", accounting="ALIVE")["authentication"]
    expect(access["accepts"] == "1" and access["timeouts"] != "0", f"{access}")
    expect(access["time_p99"].endswith("s"), f"no response time in {access}")
    _, stop = accounted(server, "alice", call)
    expect(int(stop["Acct-Delay-Time"]) >= 1, "the Stop says nothing of its delay")
    client, _ = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    expect(client.hang_up() == 0, "the client did not end well")


@case("radius-interim", limit=150)
def radius_interim(lab):
    gateway, server = with_radius(lab, auth__methods=["mschap-v2"],
                                  accounting={"interim_jitter_percent": 90})
    client, call = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    interim = server.wait_accounting(75, Acct_Status_Type="Interim-Update",
                                     Acct_Session_Id=call["id"])[0]
    expect(int(interim["Acct-Session-Time"]) <= 62, interim["Acct-Session-Time"])
    expect(client.hang_up() == 0, "the client did not end well")
    accounted(server, "alice", call)
