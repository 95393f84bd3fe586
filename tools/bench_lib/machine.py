"""What the benchmarks need of the machine: a build, a core, huge pages, the machine's mood."""
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HUGE_PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/"
TESTPMD_SECONDS = 4


def fail(what):
    sys.exit("bench: " + what)


def build(target):
    """Builds TARGET of the release when it is out of date; gives the program's path."""
    command = [os.path.join(ROOT, "tools", "build"), "release", target]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        fail("the build failed")
    return os.path.join(ROOT, "build", "release", target)


def run(command):
    """Runs a measuring program; gives the JSON objects that it prints, one a line."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail(" ".join(str(part) for part in command) + " failed")
    return [json.loads(line) for line in done.stdout.splitlines()]


def last_core():
    return max(os.sched_getaffinity(0))


def other_core(core):
    """Another core than that one; the same where there is no other."""
    return (sorted(os.sched_getaffinity(0) - {core}) or [core])[0]


def need_two_cores():
    if len(os.sched_getaffinity(0)) < 2:
        fail("this needs two cores")


def read_number(path):
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except OSError:
        return 0


def write_number(path, number):
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(number))
    except OSError:
        pass        # not root, or there are none: told by reading again


@contextlib.contextmanager
def huge_pages(megabytes):
    """Whether that much is free in huge pages; more are asked of the kernel meanwhile, if that
    helps."""
    needed = megabytes // 2 + 4     # a few for EAL's own use
    before, free = read_number(HUGE_PAGES + "nr_hugepages"), read_number(HUGE_PAGES + "free_hugepages")
    if free < needed:
        write_number(HUGE_PAGES + "nr_hugepages", before + needed - free)
    there = read_number(HUGE_PAGES + "free_hugepages") >= needed
    if not there:
        print("bench: no huge pages to be had; with them the figures would be higher", file=sys.stderr)
    try:
        yield there
    finally:
        if free < needed:
            write_number(HUGE_PAGES + "nr_hugepages", before)


def testpmd_mac_mpps(core):
    """Mpps of dpdk-testpmd, or None where it is not installed or does not run."""
    command = ["dpdk-testpmd", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "256",
               f"--file-prefix=culvertbench{os.getpid()}", "--log-level=*:error",
               f"--lcores=0@{other_core(core)},1@{core}", "--vdev=net_null0", "--vdev=net_null1",
               "--", "--forward-mode=mac", "--nb-cores=1", "--total-num-mbufs=8192",
               "--stats-period=1"]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        print("bench: dpdk-testpmd is not installed (package dpdk-dev or dpdk)", file=sys.stderr)
        return None
    time.sleep(TESTPMD_SECONDS + 2)
    process.terminate()
    output = process.communicate()[0]
    for folder in ("/var/run/dpdk", "/tmp/dpdk"):
        with contextlib.suppress(OSError):
            os.rmdir(f"{folder}/culvertbench{os.getpid()}")     # EAL leaves it, empty
    rates = [int(rate) for rate in re.findall(r"Tx-pps:\s+(\d+)", output)]
    # Two ports a second; the first second is the start.
    seconds = [sum(rates[i:i + 2]) for i in range(0, len(rates) - 1, 2)][1:]
    if not seconds or statistics.median(seconds) == 0:
        print("bench: dpdk-testpmd gave no rates:\n" + output[-2000:], file=sys.stderr)
        return None
    return round(statistics.median(seconds) / 1e6, 1)
