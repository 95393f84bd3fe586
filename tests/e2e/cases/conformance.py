"""culvert-load conformance: against Culvert, and against Debian's pptpd."""
import json
import os

from cases.ipv6 import CLIENTS6, CORE6, GATEWAY6, INTERNET6
from lab import process
from lab.case import case, expect
from lab.gateway import find_binary
from lab.network import CLIENT, GATEWAY

OTHER = "10.99.0.77"        # a second address of the client's, on the same wire
PEERS = os.path.join(os.path.dirname(__file__), "..", "..", "peers")


def try_server(lab, namespace, *arguments, timeout=300):
    """Runs culvert-load in a namespace that has cli0; returns (exit status, results)."""
    for address in (CLIENT[0], OTHER):
        process.run(["ip", "-n", namespace, "addr", "replace", f"{address}/24", "dev", "cli0"])
    results = lab.path("conformance.json")
    done = process.run(
        ["ip", "netns", "exec", namespace, find_binary(lab.build, "culvert-load"), "conformance",
         GATEWAY[0], *arguments, "--user", "alice", "--password", "secret", "--source", CLIENT[0],
         "--other-source", OTHER, "--json", results,
         "--junit", lab.path("conformance.xml"), "--markdown", lab.path("conformance.md")],
        timeout, check=False)
    print(done.stdout, done.stderr)
    expect(done.returncode in (0, 1), f"status {done.returncode}: {done.stderr.strip()[-300:]}")
    with open(results, encoding="utf-8") as file:
        return done.returncode, json.load(file)


def expect_no_violation(status, results):
    wrong = [f"{c['name']}: {c['came_back']}" for c in results["cases"]
             if c["verdict"] == "violates"]
    expect(not wrong, f"{len(wrong)} violations: " + "; ".join(wrong[:8]))
    expect(status == 0, f"status {status}")


def tried(results):
    return [c["name"] for c in results["cases"] if c["verdict"] != "skipped"]


def start(lab, **overrides):
    gateway = lab.configure(
        ppp__ipv6="allow", ppp__setup_timeout_s=30, ppp__mppe_bits=[128, 56, 40],
        auth__lock_out={"user_and_source_failures": 0, "source_failures": 0, "user_failures": 0},
        pptp__start_timeout_s=5, pptp__echo_timeout_s=5, pptp__echo_interval_s=5,
        pptp__max_connections=200,
        ipv6={"pools": [{"name": "links", "prefixes": ["2001:db8:1000::/40"], "length": 64}],
              "pool": "links"}, **overrides)
    dataplane = gateway.config["dataplane"]
    dataplane["memory_mb"] = 512    # routes of IPv6 take some 110 MB
    dataplane["ports"][-1]["addresses"].append(f"{CORE6}/64")
    dataplane["clients"]["addresses"].append(f"{GATEWAY6}/128")
    dataplane["clients"]["routes"].append(CLIENTS6)
    gateway.write_config()
    lab.network.add_ipv6(f"{INTERNET6}/64", CORE6, CLIENTS6)
    return gateway.start()


@case("conformance", limit=360)
def conformance(lab):
    """Every case, with all methods and MPPE optional: no violation, and no call is left."""
    gateway = start(lab, ppp__mppe="allow", ppp__mppe_stateful="allow",
                    auth__methods=["mschap-v2", "mschap", "chap-md5", "pap", "eap"])
    status, results = try_server(lab, lab.network.client(), "-j", "4")
    expect(len(tried(results)) >= 200, f"only {len(tried(results))} cases were tried")
    expect_no_violation(status, results)
    gateway.wait_calls(0, 15)


@case("conformance-wrong-use", limit=240)
def conformance_wrong_use(lab):
    """A file that cannot be written is told before the cases; a case that could send nothing is
    skipped, not passed."""
    start(lab)
    client = lab.network.client()
    status, results = try_server(lab, client, "gre/wrong-peer", "gre/duplicate")
    expect_no_violation(status, results)
    expect(len(tried(results)) == 2, f"only {tried(results)} were tried")
    run = ["ip", "netns", "exec", client, find_binary(lab.build, "culvert-load"), "conformance",
           GATEWAY[0], "gre/wrong-peer"]
    done = process.run([*run, "--other-source", "203.0.113.9"], 60, check=False)
    expect(done.returncode == 0 and "skipped   gre/wrong-peer" in done.stdout,
           f"status {done.returncode}: {done.stdout}{done.stderr}")
    for flag in ("--json", "--junit", "--markdown"):
        done = process.run([*run, flag, "/nowhere/x"], 60, check=False)
        expect(done.returncode == 2 and done.stdout == "" and "/nowhere/x" in done.stderr,
               f"{flag}: status {done.returncode}: {done.stdout}{done.stderr}")


@case("conformance-expired", limit=120)
def conformance_expired(lab):
    """Users whose passwords have expired change them, by MS-CHAPv2 and by EAP; the file says so."""
    users = lab.path("users")
    with open(os.open(users, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        for name, password, more in (("alice", "secret", ""), ("carol", "old", "expired = true\n"),
                                     ("dave", "old", "expired = true\n")):
            file.write(f'[[user]]\nname = "{name}"\npassword = "{password}"\n{more}')
    gateway = start(lab, ppp__mppe="require", auth__methods=["mschap-v2", "eap"],
                    auth__users_file=users, auth__password_change="allow")
    names = ["mschap2/change-password", "eap/mschapv2-change-password"]
    status, results = try_server(
        lab, lab.network.client(), *names, "--expired-user", "carol", "--expired-eap-user", "dave",
        "--expired-password", "old", "--new-password", "fresh \u20ac")
    expect(sorted(tried(results)) == sorted(names), f"only {tried(results)} were tried")
    expect_no_violation(status, results)
    with open(users, encoding="utf-8") as file:
        text = file.read()
    expect("expired" not in text and text.count("fresh \u20ac") == 2, f"the file says {text}")
    gateway.wait_calls(0, 15)


@case("conformance-required", limit=240)
def conformance_required(lab):
    """What is different where MPPE is required: no violation."""
    gateway = start(lab, ppp__mppe="require")
    status, results = try_server(lab, lab.network.client(), "ccp", "mppe", "network", "ipv6cp",
                                 "mschap2", "-j", "4")
    names = tried(results)
    for name in ("ccp/terminate-required", "ccp/protocol-reject-required", "mppe/data-in-clear"):
        expect(name in names, f"{name} was not tried")
    expect_no_violation(status, results)
    gateway.wait_calls(0, 15)


def pptpd(lab, *options):
    """Debian's pptpd in User-Mode Linux; returns the namespace with cli0 opposite to it."""
    prefix = f"pptpd{os.getpid()}"
    process.run([os.path.join(PEERS, "net"), "up", prefix])
    lab.on_close(lambda: process.run([os.path.join(PEERS, "net"), "down", prefix], check=False))
    ready = lab.path("pptpd.ready")
    server = process.start(
        [os.path.join(PEERS, "server-pptpd"), "--netns", f"{prefix}-srv", "--ready", ready,
         "--time", "560", *options], lab.path("pptpd.log"))
    lab.on_close(lambda: process.stop(server))
    process.wait_for("pptpd", lambda: os.path.exists(ready), 60)
    return f"{prefix}-cli"


@case("conformance-pptpd", limit=600)
def conformance_pptpd(lab):
    """pptpd with MPPE-128 required. It has faults, and they are found; what it does well is fine."""
    namespace = pptpd(lab)
    _, results = try_server(lab, namespace, "-j", "2", timeout=540)
    verdicts = {c["name"]: c["verdict"] for c in results["cases"]}
    expect(len(tried(results)) >= 150, f"only {len(tried(results))} cases were tried")
    for name in ("control/start", "control/echo", "call/reply", "lcp/opens", "mschap2/login",
                 "mppe/128", "ipcp/address-zero", "network/ping"):
        expect(verdicts[name] == "fine", f"{name}: {verdicts[name]}")


@case("conformance-pptpd-methods", limit=400)
def conformance_pptpd_methods(lab):
    """pptpd with every method and no MPPE: calls come up by each."""
    namespace = pptpd(lab, "--auth", "any", "--mppe", "none")
    _, results = try_server(lab, namespace, "pap", "chap", "mschap", "mschap2", "eap", "network",
                            "-j", "4")
    verdicts = {c["name"]: c["verdict"] for c in results["cases"]}
    for name in ("pap/login", "chap/login", "mschap/login", "mschap2/login", "eap/md5",
                 "network/ping"):
        expect(verdicts[name] == "fine", f"{name}: {verdicts[name]}")
