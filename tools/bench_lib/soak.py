"""tools/bench load --case soak: churn with packets, a monkey beside it, and what is left over."""
import re
import time

from bench_lib import load_lab, machine
from bench_lib.control_lab import OUTER

FIELDS = ["minutes", "control_mb_warm", "control_mb_end", "dataplane_mb_warm", "dataplane_mb_end",
          "load_mb_warm", "load_mb_end", "control_descriptors_before", "control_descriptors_end",
          "dataplane_descriptors_before", "dataplane_descriptors_end", "cpu_percent",
          "monkey_tricks", "monkey_calls", "monkey_finds_all_back"]
CALLS, HOLD_SECONDS = 120, 10
MONKEY_CALLS, SEED = 30, 7
WARM_SECONDS = 120      # memory from then on is compared
PROGRAMS = {"control": "controlplane", "dataplane": "dataplane"}


def mb(octets):
    return round(octets / 1e6, 2)


def descriptors(lab):
    return {short: lab.running[program].num_descriptors() for short, program in PROGRAMS.items()}


def watch(lab, processes):
    """Memory of the programs when they are warm and the last before the end, and their CPU time."""
    begun = time.monotonic()
    warm, last, cpu = None, {}, 0
    while all(process.poll() is None for process in processes):
        try:
            last, cpu = lab.memory(), sum(one.cpu_seconds() for one in lab.running.values())
        except OSError:
            break       # one has just ended
        if warm is None and time.monotonic() - begun >= min(WARM_SECONDS, lab.options.minutes * 15):
            warm = last
        time.sleep(2)
    return warm or last, last, cpu / (time.monotonic() - begun) * 100


def measure(lab):
    """The row: the monkey begins first and ends last, so that it finds the server empty."""
    from bench_lib import load
    seconds = round(lab.options.minutes * 60)
    packets = lab.options.packets / CALLS / 10
    with lab.load(1, "--seconds", 0) as process:
        process.wait(60)
    before = descriptors(lab)
    monkey_seconds = seconds + 30
    with lab.start("monkey", *lab.inside(lab.spaces.clients), lab.programs["load"], "monkey",
                   *lab.usual_flags(), "--calls", MONKEY_CALLS, "--source", f"{OUTER}10/32",
                   "--seed", SEED, "--seconds", monkey_seconds, "--sink", load_lab.SINK, "--packet-rate", 2,
                   "--management", lab.path("management.sock"), "--quiet") as monkey:
        time.sleep(10)      # it has looked
        with lab.load(lab.options.calls or CALLS, "--source", f"{OUTER}9/32", "--rate", 30,
                      "--calls-per-connection", 3, "--hold-seconds", HOLD_SECONDS, "--redial",
                      "--seconds", seconds, "--sink", load_lab.SINK, "--packet-rate", packets,
                      "--imix", "--quiet") as process:
            warm, last, cpu = watch(lab, [process, monkey])
            process.wait(120)
        monkey.wait(180)
    text = lab.tail("monkey")
    tricks = re.search(r"(\d+) tricks", text)
    if tricks is None:
        machine.fail("the monkey broke off: " + text)
    row = {**load.row_of(lab.report()), "case": "soak", "calls": CALLS, "sources": 2,
           "calls_per_connection": 3, "minutes": lab.options.minutes,
           "left_over_calls": lab.left_over(20), "cpu_percent": round(cpu, 1),
           "monkey_tricks": int(tricks[1]), "monkey_calls": MONKEY_CALLS,
           "monkey_finds_all_back": "all is back at the start" in text}
    after = descriptors(lab)
    for short, program in PROGRAMS.items():
        row[f"{short}_mb_warm"], row[f"{short}_mb_end"] = mb(warm[program]), mb(last[program])
        row[f"{short}_descriptors_before"] = before[short]
        row[f"{short}_descriptors_end"] = after[short]
    row["load_mb_warm"], row["load_mb_end"] = mb(warm["load"]), mb(last["load"])
    return row
