"""The part of tools/quickstart that comes after installing and building."""
import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

from lab import process  # noqa: E402
from lab.client import Client  # noqa: E402
from lab.gateway import Gateway, default_config, find_binary  # noqa: E402
from lab.network import INTERNET, TUNNEL_GATEWAY, Network  # noqa: E402
from lab.process import Failure, expect  # noqa: E402
from lab.transfer import FileServer, get_command, make_file, put_command  # noqa: E402

MEMORY_MB = 512
FILE_SIZE = 10 * 1000 * 1000
HUGE_PAGES = "/proc/sys/vm/nr_hugepages"


class HugePages:
    """HugePages: asks the kernel for some, and gives back as many in the end."""

    def __init__(self, megabytes):
        self.gained = 0
        page_kb = int(self._meminfo("Hugepagesize") or 2048)
        wanted = megabytes * 1024 // page_kb
        free = int(self._meminfo("HugePages_Free") or 0)
        if free < wanted:
            before = self._number()
            self._set(before + wanted - free)
            self.gained = max(self._number() - before, 0)
            free = int(self._meminfo("HugePages_Free") or 0)
        self.enough = free >= wanted
        if not self.enough:
            self.close()

    def close(self):
        if self.gained:
            self._set(max(self._number() - self.gained, 0))
            self.gained = 0

    @staticmethod
    def _meminfo(key):
        with open("/proc/meminfo", encoding="ascii") as file:
            found = re.search(rf"^{key}: *(\d+)", file.read(), re.M)
        return found and found[1]

    @staticmethod
    def _number():
        with open(HUGE_PAGES, encoding="ascii") as file:
            return int(file.read())

    @staticmethod
    def _set(number):
        try:
            with open(HUGE_PAGES, "w", encoding="ascii") as file:
                file.write(str(number))
        except OSError:
            pass    # then there are none


class Steps:
    """Steps: one line for each, with the time it took."""

    def __init__(self):
        self._began = time.monotonic()

    def restart(self):
        self._began = time.monotonic()

    def done(self, name, text):
        now = time.monotonic()
        print(f"  {name:8} {text:58} {now - self._began:6.1f} s", flush=True)
        self._began = now


def lay_out(steps, closers, directory, build):
    """Namespaces, huge pages and both processes."""
    network = Network(f"cv{os.getpid()}{random.randrange(16**3):03x}")
    closers.append(network.close)
    network.open()
    steps.done("network", f"namespaces {network.client()}, {network.gateway}, {network.internet}")

    pages = HugePages(MEMORY_MB)
    closers.append(pages.close)
    steps.done("memory", f"{MEMORY_MB} MiB of huge pages" if pages.enough
               else "no huge pages to be had: normal memory (--no-huge)")

    config = default_config(directory, dataplane__huge_pages="auto" if pages.enough else "off",
                            dataplane__memory_mb=MEMORY_MB, dataplane__mbufs=32768,
                            log__level="info")
    gateway = Gateway(build, network, directory, config)
    closers.append(gateway.kill)
    gateway.start()
    steps.done("start", "culvert-dataplane and culvert-controlplane run")
    return network, gateway


def dial(steps, closers, network, gateway, directory):
    """One client; prints the call's events as culvertctl sees them."""
    events = os.path.join(directory, "events.log")
    watch = process.start([find_binary(gateway.build, "culvertctl"), "--socket",
                           gateway.config["management"]["socket"], "calls", "watch", "-o", "json"],
                          events)
    closers.append(lambda: process.stop(watch))
    print("  dial     alice, MS-CHAPv2, MPPE-128: Debian's pppd and pptp on a Linux kernel")
    client = Client(network, directory, seconds=7 * 86400)
    closers.append(client.close)
    address = client.up()
    process.wait_for("the call in culvertctl", lambda: '"UP"' in process.tail(events, 20), 5)
    process.stop(watch)
    with open(events, encoding="utf-8") as file:
        for event in map(json.loads, filter(lambda l: l.startswith("{"), file)):
            call = event.get("call") or {}
            if event["kind"] in ("STARTED", "AUTHENTICATED", "UP"):
                about = [call.get(key) for key in ("peer_address", "user", "auth",
                                                   "client_address")]
                mppe = f"MPPE-{call['mppe']}" if event["kind"] == "UP" else None
                print(f"             {event['kind'].lower():14} "
                      + "  ".join(filter(None, about + [mppe])))
    steps.done("up", f"the client is {address}")
    client.route(f"{INTERNET}/32")
    return client


def check_traffic(steps, closers, network, client, directory):
    """Ping, a checksummed file each way, iperf3."""
    client.try_run(f"ping -n -q -c 1 -W 1 {INTERNET}")      # while addresses are resolved
    out = client.run(f"ping -n -q -c 20 -i 0.05 -W 3 {INTERNET}")
    expect(" 0% packet loss" in out, f"ping: {out}")
    average = out.rpartition("= ")[2].split("/")[1]
    steps.done("ping", f"20 of 20 to {INTERNET}, {average} ms on average")

    path = os.path.join(directory, "file")
    digest = make_file(path, FILE_SIZE)
    server = FileServer(network.internet, path)
    closers.append(server.close)
    rates = []
    for command, received in ((get_command(INTERNET), None),
                              (put_command(INTERNET, path), server.received)):
        began = time.monotonic()
        output = client.run(command, 120)
        rates.append(FILE_SIZE * 8 / 1e6 / (time.monotonic() - began))
        got = received() if received else output
        expect(got == digest, f"the file's SHA-256 is {got}, not {digest}")
    steps.done("file", f"10 MB down {rates[0]:.0f} Mbit/s, up {rates[1]:.0f} Mbit/s, "
               "SHA-256 equal")

    iperf = process.start(["ip", "netns", "exec", network.internet, "iperf3", "-s"],
                          os.path.join(directory, "iperf3.log"))
    closers.append(lambda: process.stop(iperf))
    rates = []
    for option in ("-R", ""):
        report = json.loads(client.run(f"iperf3 -J -t 3 -c {INTERNET} {option}"))
        rates.append(report["end"]["sum_received"]["bits_per_second"] / 1e6)
    steps.done("iperf3", f"down {rates[0]:.0f} Mbit/s, up {rates[1]:.0f} Mbit/s "
               "(an emulated client: no benchmark)")


def demonstrate(args, closers, directory):
    steps = Steps()
    network, gateway = lay_out(steps, closers, directory, args.build)
    client = dial(steps, closers, network, gateway, directory)
    check_traffic(steps, closers, network, client, directory)
    print("\nculvertctl calls:")
    print(gateway.try_ctl("calls").stdout, flush=True)
    if args.once == "no":
        stay(gateway, client)
        steps.restart()
    client.hang_up()
    gateway.wait_calls(0)
    gateway.stop()
    steps.done("stop", "the client has hung up, both processes have ended")


def stay(gateway, client):
    """A live table, with some traffic to look at, until Ctrl-C or SIGTERM."""
    print(f"culvertctl calls watch (logs: {gateway.directory}; Ctrl-C ends all of this)\n",
          flush=True)
    client.run(f"ping -q -i 0.02 -s 1000 {INTERNET} >/dev/null 2>&1 &")
    table = subprocess.Popen([find_binary(gateway.build, "culvertctl"), "--socket",
                              gateway.config["management"]["socket"], "calls", "watch"],
                             stdin=subprocess.DEVNULL)
    try:
        while table.poll() is None and client.running():
            time.sleep(0.2)
    except KeyboardInterrupt:
        pass
    process.stop(table, 2, signal.SIGINT)
    print()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--once", choices=["yes", "no"], default="no")
    args = parser.parse_args()

    def interrupted(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    directory = tempfile.mkdtemp(prefix="culvert-quickstart-")
    closers = [lambda: shutil.rmtree(directory, ignore_errors=True)]
    status = 1
    try:
        demonstrate(args, closers, directory)
        status = 0
        print("\nAll went well.", flush=True)
    except Failure as failure:
        print(f"\nFAILED: {failure}", file=sys.stderr)
        closers.pop(0)      # the logs stay
        print(f"Logs: {directory}", file=sys.stderr)
    except KeyboardInterrupt:
        status = 130
        print("\ninterrupted", file=sys.stderr)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while closers:
            closers.pop()()
    return status


if __name__ == "__main__":
    sys.exit(main())
