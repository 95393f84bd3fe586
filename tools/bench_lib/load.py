"""tools/bench load: culvert-load with many calls against both programs, in namespaces."""
import os
import tempfile
import time

from bench_lib import load_lab, machine, soak
from bench_lib.control_lab import OUTER

HELP = "culvert-load with many calls and packets both ways, against a Culvert in namespaces (root)"
FIELDS = ["bench", "case", "calls", "sources", "calls_per_connection", "established", "failed",
          "ended_early", "setup_rate_avg", "setup_ms_p50", "setup_ms_p99", "setup_ms_max",
          "packets_per_second_up", "packets_per_second_down", "gbps_up", "gbps_down", "loss_up",
          "loss_down", "round_trip_ms_p50", "round_trip_ms_p99", "unsent", "bytes_per_call_load",
          "bytes_per_call_control", "bytes_per_call_dataplane", "left_over_calls", "seconds"]
# calls, sources, calls in one control connection
CASES = {
    "address": (65000, 1, 7),
    "two": (100000, 2, 6),
    "connections": (19000, 1, 1),
}


def add_arguments(parser):
    parser.add_argument("--case", action="append", choices=[*CASES, "soak"], metavar="NAME",
                        help="only this one; may come again: " + "; ".join(
                            f"{name}: {calls} calls, {sources} source(s), {each} a connection"
                            for name, (calls, sources, each) in CASES.items())
                        + "; soak (not by default): churn and a monkey beside it")
    parser.add_argument("--calls", type=int, help="instead of each case's own number")
    parser.add_argument("--rate", type=float, default=4000,
                        help="calls a second that are dialled (default %(default)g)")
    parser.add_argument("--packets", type=float, default=20000,
                        help="a second and direction, of all calls (default %(default)g)")
    parser.add_argument("--size", type=int, help="octets of a packet; default: IMIX")
    parser.add_argument("--seconds", type=int, default=20,
                        help="with all calls up (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=25,
                        help="of the soak (default %(default)g)")
    parser.add_argument("--build", metavar="FOLDER",
                        help="measure the programs of this build folder")


def fields(options):
    return FIELDS + (soak.FIELDS if "soak" in (options.case or []) else [])


def check(parser, options):
    if os.geteuid() != 0:
        parser.error("load: must run as root: it makes network namespaces")


def measure(lab, name):
    """The row of one case."""
    options = lab.options
    calls, num_sources, each = CASES[name]
    calls = options.calls or calls
    sources = [f"{OUTER}{9 + i}/32" for i in range(num_sources)]
    # One call: memory that is there whatever the number.
    with lab.load(1, "--seconds", 2, "--source", sources[0]) as process:
        lab.wait_for_calls(process, 1)
        before = lab.memory()
        process.wait(60)
    flags = ["--rate", options.rate, "--calls-per-connection", each, "--seconds", options.seconds,
             "--source", ",".join(sources), "--sink", load_lab.SINK, "--packet-rate",
             options.packets / calls]
    flags += ["--packet-size", options.size] if options.size else ["--imix"]
    for other in range(1, num_sources):
        flags += ["--server", f"{OUTER}{1 + other}"]
    with lab.load(calls, *flags) as process:
        lab.wait_for_calls(process, calls)
        after = lab.memory()
        process.wait()
    return {**row_of(lab.report()), "case": name, "calls": calls, "sources": num_sources,
            "calls_per_connection": each, "left_over_calls": lab.left_over(20),
            **{f"bytes_per_call_{short}": round((after[program] - before[program]) / (calls - 1))
               for short, program in (("load", "load"), ("control", "controlplane"),
                                      ("dataplane", "dataplane"))}}


def row_of(report):
    """What the report of culvert-load says. Rates are of the seconds when all calls were up."""
    most = max(sample.get("calls_up", 0) for sample in report["samples"])
    full = [sample for sample in report["samples"] if sample.get("calls_up", 0) == most]

    def mean(field):
        return sum(sample.get(field, 0) for sample in full) / len(full)
    row = {"bench": "load"}
    row.update((field, int(report.get(field, 0)))
               for field in ("established", "failed", "ended_early", "unsent"))
    row.update(seconds=round(report["seconds"], 1),
               setup_rate_avg=round(report["setups_per_second"]["avg"], 1))
    row.update((f"setup_ms_{name}", round(report["setup_ms"][name], 2))
               for name in ("p50", "p99", "max"))
    for way in ("up", "down"):
        row[f"packets_per_second_{way}"] = round(mean(f"{way}_packets"))
        row[f"gbps_{way}"] = round(mean(f"{way}_octets") * 8e-9, 4)
        row[f"loss_{way}"] = round(report[way].get("loss_percent", 0), 4)
    row.update((f"round_trip_ms_{name}", round(report["round_trip_ms"].get(name, 0), 2))
               for name in ("p50", "p99"))
    return row


def rows(options):
    machine.need_two_cores()
    for name in options.case or CASES:
        with tempfile.TemporaryDirectory(prefix="culvert-bench-") as folder, \
             load_lab.Namespaces() as spaces:
            lab = load_lab.Lab(options, folder, spaces)
            with lab.culvert():
                yield {"bench": "load", **soak.measure(lab)} if name == "soak" \
                    else measure(lab, name)
