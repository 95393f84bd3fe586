"""Start-up failures: one clear line that names the object, and the right exit status."""
from lab import process
from lab.case import case, expect
from lab.gateway import to_toml


def launch(gateway, name, status, *words):
    """Runs a process that must end by itself, with a status and a line that has these words."""
    argv = gateway.command(f"culvert-{name}", "--config", gateway.config_file)
    done = process.run(argv, 30, check=False)
    text = done.stderr.strip()
    expect(done.returncode == status, f"status {done.returncode}, not {status}: {text[-300:]}")
    missing = [word for word in words if word not in text]
    expect(not missing, f"the message lacks {missing}: {text[-300:]}")
    return text


@case("config-errors")
def config_errors(lab):
    """All errors at once, each with file, line, key and what is allowed; status 2; both processes."""
    gateway = lab.configure()
    config = gateway.config
    config["ppp"]["mppe"] = "sometimes"
    config["ppp"]["mrv"] = 1400
    config["dataplane"]["mbufs"] = 1
    config["dataplane"]["ports"].append(dict(config["dataplane"]["ports"][0]))
    config["pools"].append({"name": "more", "ranges": ["10.77.0.200-10.77.0.220"]})
    text = to_toml(config)
    with open(gateway.config_file, "w", encoding="utf-8") as file:
        file.write(text)
    lines = text.splitlines()
    line = next(i for i, l in enumerate(lines, 1) if l.startswith("mppe ="))
    for name in ("dataplane", "controlplane"):
        argv = gateway.command(f"culvert-{name}", "--check", "--config", gateway.config_file)
        done = process.run(argv, 30, check=False)
        expect(done.returncode == 2, f"{name} --check: status {done.returncode}")
        for word in (f"culvert.toml:{line}", "mppe", "require", "mrv", "mbufs", "4096", "access0",
                     "10.77.0.200"):
            expect(word in done.stderr, f"{name} --check does not say {word}: {done.stderr[-500:]}")
        launch(gateway, name, 2, f"culvert.toml:{line}", "mrv")


@case("config-good")
def config_good(lab):
    gateway = lab.configure()
    for name in ("dataplane", "controlplane"):
        argv = gateway.command(f"culvert-{name}", "--check", "--config", gateway.config_file)
        done = process.run(argv, 30, check=False)
        expect(done.returncode == 0, f"{name} --check: {done.returncode}: {done.stderr[-300:]}")


@case("config-missing")
def config_missing(lab):
    gateway = lab.configure()
    gateway.config_file = lab.path("nowhere.toml")
    for name in ("dataplane", "controlplane"):
        launch(gateway, name, 2, "nowhere.toml")


@case("missing-interface")
def missing_interface(lab):
    gateway = lab.configure()
    gateway.config["dataplane"]["ports"][0]["device"] = "net_af_packet0,iface=nosuch0"
    with open(gateway.config_file, "w", encoding="utf-8") as file:
        file.write(to_toml(gateway.config))
    launch(gateway, "dataplane", 1, "access0", "nosuch0")


@case("no-permission")
def no_permission(lab):
    gateway = lab.configure()
    argv = gateway.command("culvert-dataplane", "--config", gateway.config_file)
    at = len(argv) - 3
    argv[at:at] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    done = process.run(argv, 30, check=False)
    expect(done.returncode == 1, f"status {done.returncode}: {done.stderr[-300:]}")
    expect("root" in done.stderr or "CAP_NET_ADMIN" in done.stderr,
           f"the message names no remedy: {done.stderr[-300:]}")


@case("taken-port")
def taken_port(lab):
    """A second control plane: its TCP port is taken; the first one goes on."""
    gateway = lab.start()
    taken = lab.path("second.toml")
    config = dict(gateway.config)
    config["management"] = {"socket": lab.path("cp2.sock")}
    config["metrics"] = {"listen": ""}
    with open(taken, "w", encoding="utf-8") as file:
        file.write(to_toml(config))
    gateway.config_file = taken
    launch(gateway, "controlplane", 1, "1723")
    expect(gateway.calls() == [], "the first control plane is gone")


@case("open-secrets")
def open_secrets(lab):
    """A secrets file that everybody may read is refused."""
    import os
    gateway = lab.configure()
    os.chmod(lab.path("chap-secrets"), 0o644)
    gateway.launch("dataplane")
    process.wait_for("the data plane's socket",
                     lambda: os.path.exists(gateway.config["dataplane"]["socket"]), 30)
    argv = gateway.command("culvert-controlplane", "--config", gateway.config_file)
    done = process.run(argv, 30, check=False)
    expect(done.returncode in (1, 2), f"status {done.returncode}")
    expect("chap-secrets: holds secrets" in done.stderr and "chmod 600" in done.stderr,
           f"says {done.stderr[-300:]}")
