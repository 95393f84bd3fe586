"""Two minutes of a client that misbehaves, against both builds: nothing may be left over."""
import json
import os
import signal
import time

from cases.load import SINK, SOURCES, start
from lab import process
from lab.case import case, expect
from lab.gateway import find_binary
from lab.network import GATEWAY

RELEASE = os.path.join(os.path.dirname(__file__), "../../../build/release")
WARM_SECONDS, WARM_SEED = 25, 6
# A small quarantine: freed memory is to be given back, not kept to be watched.
SMALL_QUARANTINE = "quarantine_size_mb=1:thread_local_quarantine_size_kb=16"
PROGRAMS = ("controlplane", "dataplane")


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS:"))


class Taken:
    """Taken: what both programs have at present, as /proc and the metrics tell."""

    def __init__(self, gateway):
        # `ip netns exec` has become the program: its process is ours.
        pids = {name: gateway.processes[name].pid for name in PROGRAMS}
        self.descriptors = {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in pids.items()}
        self.megabytes = {name: resident_mb(pid) for name, pid in pids.items()}
        metrics = gateway.metrics()
        self.addresses = sum(value for name, value in metrics.items()
                             if name.startswith("culvert_pool_addresses_used"))
        self.mbufs = metrics["culvert_dataplane_mbufs_in_use"]
        self.calls = len(gateway.calls())

    def over(self, before):
        """What there is more of than before, megabytes aside; empty: nothing."""
        more = {name: (getattr(before, name), getattr(self, name))
                for name in ("addresses", "mbufs", "calls")
                if getattr(self, name) > getattr(before, name)}
        more.update((f"descriptors of {name}", (before.descriptors[name], self.descriptors[name]))
                    for name in PROGRAMS if self.descriptors[name] > before.descriptors[name])
        return more


def play(lab, gateway, seed, seconds):
    """culvert-load monkey; it too looks whether calls, mbufs and descriptors are back."""
    done = lab.network.exec(
        lab.network.client(), find_binary(lab.build, "culvert-load"), "monkey", "--server",
        GATEWAY[0], "--source", SOURCES, "--password", "secret", "--sink", SINK, "--packet-rate", 5,
        "--seed", seed, "--seconds", seconds, "--management",
        gateway.config["management"]["socket"], "--quiet", timeout=seconds + 100, check=False)
    print(done.stderr + done.stdout)
    expect(done.returncode == 0 and "all is back at the start" in done.stdout,
           f"seed {seed}: status {done.returncode}: {done.stdout[-400:]}{done.stderr[-400:]}")


def settled(gateway, before):
    """What is taken once all has gone that goes by itself; Failure names what stays."""
    end = time.monotonic() + 60
    while True:
        now = Taken(gateway)
        more = now.over(before)
        if not more:
            return now
        expect(time.monotonic() < end, f"left over (before, now): {more}")
        time.sleep(0.5)


def soak(lab, growth_mb):
    """A round to warm up, then the long one: no call, address, mbuf, descriptor is left over, and
    no program has grown by more than `growth_mb`. Some it may: buffers and tables are touched for
    the first time, and the sanitizers keep a stack for each place that allocates.

    CULVERT_MONKEY_SECONDS: how long it goes on; CULVERT_MONKEY_SEED: another one."""
    gateway = start(lab, ppp__echo_interval_s=5, ppp__echo_failures=2)
    empty = Taken(gateway)
    expect(empty.calls == empty.addresses == 0, f"{empty.calls} calls, {empty.addresses} addresses")
    play(lab, gateway, WARM_SEED, WARM_SECONDS)
    process.wait_for("all addresses to be free", lambda: Taken(gateway).addresses == 0, 60, 0.5)
    before = Taken(gateway)
    play(lab, gateway, os.environ.get("CULVERT_MONKEY_SEED", 7),
         int(os.environ.get("CULVERT_MONKEY_SECONDS", 120)))
    now = settled(gateway, before)
    for name in PROGRAMS:
        grown = now.megabytes[name] - before.megabytes[name]
        print(f"{name}: {before.megabytes[name]:.1f} MB, then {now.megabytes[name]:.1f} MB")
        expect(grown <= growth_mb[name], f"{name} has grown by {grown:.1f} MB")


@case("monkey-sanitizers", limit=330)
def monkey_sanitizers(lab):
    """Two minutes of a monkey with a fixed seed, against the build with sanitizers."""
    os.environ["ASAN_OPTIONS"] = ":".join(
        part for part in (os.environ.get("ASAN_OPTIONS"), SMALL_QUARANTINE) if part)
    soak(lab, {"controlplane": 8, "dataplane": 12})


@case("monkey-release", limit=330)
def monkey_release(lab):
    """The same against build/release, which tools/test builds."""
    lab.build = os.path.normpath(RELEASE)
    soak(lab, {"controlplane": 2, "dataplane": 4})


@case("monkey-interrupt", limit=150)
def monkey_interrupt(lab):
    """Ctrl-C ends a monkey in good order: it still looks at the server, and writes its report."""
    gateway = start(lab)
    report, log = lab.path("monkey.json"), lab.path("monkey.log")
    monkey = process.start(
        ["ip", "netns", "exec", lab.network.client(), find_binary(lab.build, "culvert-load"),
         "monkey", "--server", GATEWAY[0], "--source", SOURCES, "--password", "secret", "--seconds",
         600, "--management", gateway.config["management"]["socket"], "--json", report], log)
    lab.on_close(lambda: process.stop(monkey))
    process.wait_for("calls", lambda: len(gateway.calls()) > 5, 60, 0.5)
    status, _ = process.stop(monkey, 100, signal.SIGINT)
    expect(status == 0, f"status {status}: {process.tail(log, 5)}")
    expect("all is back at the start" in process.tail(log), process.tail(log))
    with open(report, encoding="utf-8") as file:
        expect(json.load(file)["established"] > 5, "no call in the report")
