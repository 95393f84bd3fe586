"""Which clients get in, with which method and encryption, and what the others hear."""
import re

from lab.case import case, expect
from lab.network import TUNNEL_GATEWAY

# name: methods, MPPE policy, MPPE bits | client's options | in the client's log | auth, mppe shown
LET_IN = {
    "pap": (["pap"], "deny", [128], {"auth": "pap", "mppe": "none"},
            "<auth pap>", "pap", "none"),
    "chap-md5": (["chap-md5"], "deny", [128], {"auth": "chap", "mppe": "none"},
                 "<auth chap MD5>", "chap-md5", "none"),
    "mschap": (["mschap"], "deny", [128], {"auth": "mschap", "mppe": "none"},
               "<auth chap MS>", "mschap", "none"),
    "mschap-128": (["mschap"], "require", [128], {"auth": "mschap", "mppe": "128"},
                   "MPPE 128-bit stateless", "mschap", "128"),
    "mschap2-none": (["mschap-v2"], "allow", [128], {"mppe": "none"},
                     "<auth chap MS-v2>", "mschap-v2", "none"),
    "mschap2-40": (["mschap-v2"], "require", [40], {"mppe": "40"},
                   "MPPE 40-bit stateless", "mschap-v2", "40"),
    "mschap2-128": (["mschap-v2"], "require", [128], {"mppe": "128"},
                    "MPPE 128-bit stateless", "mschap-v2", "128"),
    "mschap2-any": (["mschap-v2"], "require", [40, 56, 128], {"mppe": "any"},
                    "MPPE 128-bit stateless", "mschap-v2", "128"),
    "server-any-auth": (["mschap-v2", "mschap", "chap-md5", "pap"], "allow", [128],
                        {"auth": "chap", "mppe": "none"}, "<auth chap MD5>", "chap-md5", "none"),
    # The client knows EAP-MD5 only: it refuses MSCHAPv2, which comes first, with a Nak.
    "eap-md5": (["eap"], "allow", [128], {"auth": "eap", "mppe": "none"},
                "EAP authentication succeeded", "eap", "none"),
    "client-any-auth": (["mschap-v2"], "require", [128], {"auth": "any"},
                        "MPPE 128-bit stateless", "mschap-v2", "128"),
}


def let_in(lab, methods, policy, bits, options, said, auth, mppe):
    gateway = lab.start(auth__methods=methods, ppp__mppe=policy, ppp__mppe_bits=bits)
    client = lab.dial(**options)
    address = client.up()
    expect(said in client.text(), f"the client's log has no {said!r}")
    client.ping(TUNNEL_GATEWAY)
    call = gateway.call(user="alice", state="open")
    wanted = {"auth": auth, "mppe": mppe, "client_address": address, "peer_address": "10.99.0.2",
              "local_address": "10.99.0.1"}
    got = {key: call[key] for key in wanted}
    expect(got == wanted, f"culvertctl calls shows {got}, not {wanted}")
    expect(client.hang_up() == 0, "the client did not end well")
    gateway.wait_calls(0)


for _name, _row in LET_IN.items():
    case(_name)(lambda lab, row=_row: let_in(lab, *row))


def failure_seen_by(client):
    """What a refused client heard after its response, without what differs every time."""
    heard = [line.partition("rcvd ")[2] for line in client.refused().splitlines()
             if "rcvd [CHAP Failure" in line or "rcvd [LCP TermReq" in line]
    return [re.sub(r"C=[0-9A-F]{32}|id=0x[0-9a-f]+", "", line) for line in heard]


@case("bad-password")
def bad_password(lab):
    gateway = lab.start()
    client = lab.dial(password="dont-tell-4711")
    text = client.refused()
    expect("E=691 R=0" in text, "no CHAP Failure with E=691 R=0")
    expect("MS-CHAP authentication failed" in text, "the client did not see a failure")
    gateway.wait_calls(0)
    gateway.expect_metric(1, "culvert_authentications_total", result="reject")
    expect("dont-tell-4711" not in gateway.log("controlplane"), "the password is in the log")


@case("bad-user")
def bad_user(lab):
    """Nobody can learn from the wire whether a user exists."""
    gateway = lab.start(clients=2)
    nobody = lab.dial(0, user="nobody")
    wrong = lab.dial(1, password="wrong")
    seen = failure_seen_by(nobody), failure_seen_by(wrong)
    expect(seen[0] == seen[1], f"a bad user hears {seen[0]}, a bad password {seen[1]}")
    expect(any("E=691 R=0" in line for line in seen[0]), f"no E=691 R=0 in {seen[0]}")
    gateway.expect_metric(2, "culvert_authentications_total", result="reject")


@case("bad-password-pap")
def bad_password_pap(lab):
    gateway = lab.start(auth__methods=["pap"], ppp__mppe="deny")
    client = lab.dial(auth="pap", mppe="none", password="wrong")
    expect("PAP authentication failed" in client.refused(), "the client did not see a failure")
    gateway.expect_metric(1, "culvert_authentications_total", result="reject")


@case("bad-password-eap")
def bad_password_eap(lab):
    gateway = lab.start(clients=2, auth__methods=["eap"], ppp__mppe="deny")
    wrong = lab.dial(0, auth="eap", mppe="none", password="wrong")
    nobody = lab.dial(1, auth="eap", mppe="none", user="nobody")
    for client in (wrong, nobody):
        text = client.refused()
        expect("local  IP address" not in text, "the client got an address")
        expect("rcvd [EAP Failure" in text, "no EAP Failure")
    gateway.wait_calls(0)
    gateway.expect_metric(2, "culvert_authentications_total", method="eap", result="reject")


@case("eap-without-keys")
def eap_without_keys(lab):
    """EAP-MD5 gives no keys: where MPPE is required it is not even offered."""
    gateway = lab.start(auth__methods=["eap"], ppp__mppe="require")
    client = lab.dial(auth="eap", mppe="none")
    text = client.refused()
    expect("local  IP address" not in text, "the client got an address")
    expect("MD5-Challenge" not in text, "EAP-MD5 was offered")
    gateway.wait_calls(0)


@case("no-common-auth")
def no_common_auth(lab):
    gateway = lab.start()
    client = lab.dial(auth="pap", mppe="none")
    text = client.refused()
    expect("local  IP address" not in text, "the client got an address")
    gateway.wait_calls(0)


@case("server-no-mppe")
def server_no_mppe(lab):
    gateway = lab.start(ppp__mppe="deny")
    client = lab.dial(mppe="128")
    expect("MPPE required but peer" in client.refused(), "the client did not miss MPPE")
    gateway.wait_calls(0)


@case("client-no-mppe")
def client_no_mppe(lab):
    """A client that will not encrypt never gets a link, nor is a data frame sent to it in clear."""
    gateway = lab.start(ppp__mppe="require")
    tap = lab.tap()
    client = lab.dial(mppe="none")
    text = client.refused()
    expect("local  IP address" not in text, "the client got an address")
    gateway.wait_calls(0)
    expect(tap.gre("10.99.0.1"), "the tap saw no GRE at all")
    clear = [f for f in tap.frames() if f[12:14] == b"\x08\x00" and f[23] == 47
             and (b"\xff\x03\x00\x21" in f[26:54] or b"\xff\x03\x21" in f[26:54])]
    expect(not clear, f"{len(clear)} data frames in clear")
