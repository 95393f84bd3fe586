"""Users and their sessions: files read again, hooks, one session a user, drains."""
import os

from lab.case import case, expect, process
from lab.network import TUNNEL_GATEWAY

HOOK = """#!/bin/sh
env | LC_ALL=C sort >"{file}.new" && mv "{file}.new" "{file}"
[ "$PEERNAME" != bob ]
"""


def hook(lab, name):
    """A hook that writes its environment into a file and does not like bob; (path, file)."""
    path, file = lab.path(f"{name}.sh"), lab.path(f"{name}.env")
    with open(path, "w", encoding="utf-8") as script:
        script.write(HOOK.format(file=file))
    os.chmod(path, 0o755)
    return path, file


def environment(file):
    process.wait_for(os.path.basename(file), lambda: os.path.exists(file), 10)
    with open(file, encoding="utf-8") as lines:
        return dict(line.rstrip("\n").split("=", 1) for line in lines)


@case("hooks")
def hooks(lab):
    paths = {name: hook(lab, name) for name in ("ip_pre_up", "ip_up", "ip_down")}
    gateway = lab.start(hooks={name: path for name, (path, _) in paths.items()})
    client = lab.dial()
    address = client.up()
    client.ping(TUNNEL_GATEWAY)
    wanted = {"PEERNAME": "alice", "IPREMOTE": address, "IPLOCAL": TUNNEL_GATEWAY,
              "CALLING_SID": "10.99.0.2", "CULVERT_CALL_ID": gateway.call(user="alice")["id"]}
    for name in ("ip_pre_up", "ip_up"):
        got = environment(paths[name][1])
        shown = {key: got.get(key) for key in wanted}
        expect(shown == wanted, f"{name} saw {shown}, not {wanted}")
        expect("secret" not in got.values(), f"{name} was told a password")
    expect(client.hang_up() == 0, "the client did not end well")
    got = environment(paths["ip_down"][1])
    expect(int(got["PACKETS_RCVD"]) >= 3 and int(got["BYTES_SENT"]) >= 3 * 84,
           f"ip_down counted {got['PACKETS_RCVD']} packets, {got['BYTES_SENT']} octets")
    lab.dial(user="bob", password="other secret").refused()
    gateway.wait_calls(0)


@case("users-reload")
def users_reload(lab):
    """Who is taken out of the file can no longer dial in; calls that are up go on."""
    gateway = lab.start(clients=2)
    client = lab.dial()
    client.up()
    gateway.write_secrets('carol * "new here" *\n')
    process.wait_for("the file to be read again",
                     lambda: "users read again" in gateway.log("controlplane"), 10)
    carol = lab.dial(1, user="carol", password="new here")
    carol.up()
    client.ping(TUNNEL_GATEWAY)
    expect(carol.hang_up() == 0, "the new user did not end well")
    lab.dial(1).refused()
    client.ping(TUNNEL_GATEWAY)


@case("expired-password")
def expired_password(lab):
    """The right password of a user that has expired is answered with E=648; culvertctl reload has the
    file without the mark at once."""
    path = lab.path("users")

    def write(more):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(f'[[user]]\nname = "alice"\npassword = "secret"\n{more}')
    write("expired = true\n")
    gateway = lab.start(auth__users_file=path, auth__password_change="allow")
    text = lab.dial().refused()
    expect("xpired" in text, "pppd was not told that the password has expired")
    write("")
    told = gateway.try_ctl("reload")
    expect(told.returncode == 0, f"culvertctl reload says {told.stderr}")
    lab.dial().up()


@case("one-session-a-user")
def one_session(lab):
    """A second login ends the first call, and only then gets in."""
    gateway = lab.start(clients=2, policy={"sessions_per_user": 1, "excess_sessions": "replace"})
    first = lab.dial()
    first.up()
    old = gateway.call(user="alice")["id"]
    second = lab.dial(1)
    second.up()
    second.ping(TUNNEL_GATEWAY)
    calls = gateway.calls()
    expect(len(calls) == 1 and calls[0]["id"] != old, f"the calls are {calls}")
    process.wait_for("the first client to end", lambda: "Modem hangup" in first.text(), 10)


@case("drain")
def drain(lab):
    gateway = lab.start(clients=2)
    client = lab.dial()
    client.up()
    expect(gateway.try_ctl("drain").returncode == 0, "drain failed")
    lab.dial(1, user="bob", password="other secret").refused()
    client.ping(TUNNEL_GATEWAY)
    expect(gateway.try_ctl("drain", "--cancel").returncode == 0, "drain --cancel failed")
    bob = lab.dial(1, user="bob", password="other secret")
    bob.up()
    expect(gateway.try_ctl("drain", "--in", "1").returncode == 0, "drain --in failed")
    gateway.wait_calls(0)
