"""Culvert itself in a namespace: configuration, both processes, culvertctl and metrics."""
import functools
import json
import os
import re
import urllib.request

from lab import process
from lab.network import CORE, GATEWAY, TUNNEL_GATEWAY, TUNNEL_NET, inside
from lab.process import Failure, expect

METRICS = "127.0.0.1:9464"
STOP_SECONDS = 5.0      # both processes end within this time, calls or not
_COMPLAINT = re.compile(r"ERROR: \w+Sanitizer.*|WARNING: ThreadSanitizer.*|\S+runtime error: .*|"
                        r".*packet buffers were never given back.*")


@functools.lru_cache
def find_binary(build, name):
    """The path of a program in a build directory."""
    for folder, _, files in os.walk(build):
        if name in files and os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    raise Failure(f"no {name} under {build}: build first (tools/build)")


def to_toml(config):
    """TOML text of {table: {key: value}} and {array: [{key: value}]}."""
    lines = []

    def table(name, values):
        subtables = {}
        for key, value in values.items():
            if isinstance(value, dict) or (isinstance(value, list) and value
                                           and isinstance(value[0], dict)):
                subtables[key] = value
            else:
                lines.append(f"{key} = {json.dumps(value)}")
        for key, value in subtables.items():
            path = f"{name}.{key}" if name else key
            for item in value if isinstance(value, list) else [value]:
                lines.append(f"[[{path}]]" if isinstance(value, list) else f"[{path}]")
                table(path, item)
    table("", config)
    return "\n".join(lines) + "\n"


def default_config(directory, access_ports=1, workers=1, device="net_af_packet", **overrides):
    """The tests' configuration. Overrides: table__key=value, for example ppp__mppe="deny"."""
    # One DPDK queue for each worker.
    def port(name, interface, number, address):
        return {"name": name, "addresses": [address],
                "device": f"{device}{number},iface={interface},qpairs={workers}"}
    config = {
        "log": {"level": "debug"},
        "dataplane": {
            "socket": f"{directory}/dp.sock", "idle": "sleep", "main_core": 0,
            "worker_cores": list(range(2 - workers, 2)), "huge_pages": "off", "memory_mb": 256,
            "mbufs": 8192, "max_local_addresses": 2,
            "ports": [port(f"access{i}", f"acc{i}", i, f"{GATEWAY[i]}/24")
                      for i in range(access_ports)]
                     + [port("core", "core0", access_ports, f"{CORE}/24")],
            "clients": {"interface": "culvert0", "addresses": [f"{TUNNEL_GATEWAY}/32"],
                        "routes": [TUNNEL_NET]}},
        "pptp": {"listen": ["0.0.0.0:1723"], "echo_interval_s": 5, "call_id_rest_s": 1},
        "ppp": {"gateway_address": TUNNEL_GATEWAY, "mppe": "require", "mppe_bits": [128]},
        "auth": {"methods": ["mschap-v2"], "chap_secrets_file": f"{directory}/chap-secrets",
                 "users_file": ""},
        "pools": [{"name": "clients", "ranges": ["10.77.0.10-10.77.0.250"]}],
        "management": {"socket": f"{directory}/cp.sock"},
        "metrics": {"listen": METRICS},
    }
    for path, value in overrides.items():
        table, _, key = path.partition("__")
        if key:
            config[table][key] = value
        else:
            config[table] = value
    return config


class Gateway:
    """Gateway: culvert-dataplane and culvert-controlplane in the network's gateway namespace."""

    def __init__(self, build, network, directory, config):
        self.build, self.network, self.directory = build, network, directory
        self.config = config
        self.config_file = os.path.join(directory, "culvert.toml")
        self.logs = {name: os.path.join(directory, f"{name}.log")
                     for name in ("dataplane", "controlplane")}
        self.processes = {}
        self.write_secrets('alice * secret *\nbob * "other secret" *\n')
        self.write_config()

    def write_config(self):
        # 0600: some cases write secrets into it.
        with open(os.open(self.config_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(to_toml(self.config))

    def write_secrets(self, text):
        path = os.path.join(self.directory, "chap-secrets")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def command(self, name, *arguments):
        """The argv that runs one of the programs in the gateway's namespace."""
        return ["ip", "netns", "exec", self.network.gateway, find_binary(self.build, name),
                *arguments]

    def launch(self, name):
        self.processes[name] = process.start(
            self.command(f"culvert-{name}", "--config", self.config_file), self.logs[name])

    def start(self):
        self.launch("dataplane")
        self._wait_ready("dataplane", lambda: os.path.exists(self.config["dataplane"]["socket"]))
        self.launch("controlplane")
        self._wait_ready("controlplane", lambda: self.try_ctl("calls").returncode == 0)
        return self

    def stop(self):
        """Stops both in good order; Failure unless they end in time, with status 0, cleanly."""
        for name in ("controlplane", "dataplane"):
            if name in self.processes:
                status, took = process.stop(self.processes.pop(name), STOP_SECONDS)
                self.check_log(name)
                expect(status == 0, f"{name} ended with status {status} after {took:.1f} s")

    def kill(self):
        for running in reversed(self.processes.values()):
            process.stop(running, 0.5)
        self.processes.clear()

    def check_log(self, name):
        """Failure when a sanitizer complained, or the data plane missed packet buffers."""
        with open(self.logs[name], encoding="utf-8", errors="replace") as file:
            if found := _COMPLAINT.search(file.read()):
                raise Failure(f"{name}: {found[0][:200]}")

    def symptoms(self):
        """One line for each process that ended by itself or that a sanitizer stopped, and the
        drops; all metrics go into a file."""
        found = []
        try:
            metrics = self.metrics()
            with open(os.path.join(self.directory, "metrics.txt"), "w", encoding="utf-8") as file:
                file.writelines(f"{name} {value:g}\n" for name, value in metrics.items())
            drops = [f"{re.search('reason=.([a-z_]+)', name)[1]} {value:g}"
                     for name, value in metrics.items()
                     if name.startswith("culvert_dataplane_drops_total") and value]
            found.append(f"drops: {', '.join(drops) or 'none'}")
        except (OSError, ValueError):
            pass    # no control plane to ask
        for name, running in self.processes.items():
            try:
                self.check_log(name)
            except Failure as failure:
                found.append(str(failure))
                continue
            if running.poll() is not None:
                last = process.tail(self.logs[name], 1).strip()
                found.append(f"{name} had ended, status {running.returncode}: {last[-200:]}")
        return found

    def log(self, name):
        with open(self.logs[name], encoding="utf-8", errors="replace") as file:
            return file.read()

    def try_ctl(self, *arguments, timeout=15):
        """culvertctl on this gateway; returns the finished process."""
        return process.run([find_binary(self.build, "culvertctl"), "--socket",
                            self.config["management"]["socket"], *arguments], timeout, check=False)

    def ctl(self, *arguments):
        """culvertctl ... -o json, parsed."""
        done = self.try_ctl(*arguments, "-o", "json")
        if done.returncode != 0:
            raise Failure(f"culvertctl {' '.join(arguments)}: status {done.returncode}: "
                          f"{done.stderr.strip()[-200:]}")
        return json.loads(done.stdout or "null")

    def calls(self):
        return self.ctl("calls")

    def call(self, **fields):
        """The one call whose fields are these; waits a moment for it."""
        def there():
            return [c for c in self.calls() if all(c.get(k) == v for k, v in fields.items())]
        return process.wait_for(f"a call with {fields}", there, 5)[0]

    def wait_calls(self, count, seconds=10):
        process.wait_for(f"{count} calls", lambda: len(self.calls()) == count, seconds)

    def metrics(self):
        """{name{labels}: value}, as the text format spells them."""
        def get():
            with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=5) as reply:
                return reply.read().decode()
        lines = inside(self.network.gateway, get).splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def metric(self, name, **labels):
        """Sum of a metric over all series that have these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(value for series, value in self.metrics().items()
                   if series.partition("{")[0] == name and all(w in series for w in wanted))

    def expect_metric(self, at_least, name, seconds=5, **labels):
        """Waits until a metric has grown to a value; counters are polled each second."""
        process.wait_for(f"{name}{labels or ''} to reach {at_least:g}",
                         lambda: self.metric(name, **labels) >= at_least, seconds, 0.3)

    def drops(self, reason):
        """Packets dropped for a reason, by all workers."""
        return self.metric("culvert_dataplane_drops_total", reason=reason)

    def expect_drops(self, reason, at_least=1):
        self.expect_metric(at_least, "culvert_dataplane_drops_total", reason=reason)

    def _wait_ready(self, name, ready):
        def there():
            if self.processes[name].poll() is not None:
                raise Failure(f"{name} ended at once, status {self.processes[name].returncode}: "
                              + " / ".join(process.tail(self.logs[name], 3).splitlines()))
            return ready()
        process.wait_for(f"{name} to be ready", there, 30)
