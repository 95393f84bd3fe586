"""tools/bench latency: what the path adds to a packet's way."""
from bench_lib import dataplane, machine

HELP = "added latency of one worker at part of its full rate, packets given by the clock"
FIELDS = ["bench", "path", "mppe", "size", "calls", "full_mpps", "mpps", "p50_us", "p99_us", "p999_us",
          "max_us", "round_p50_us", "round_max_us", "probe_p50_us", "probe_max_us",
          "rounds_over_100us", "probes_over_100us", "packets", "disturbed"]


def add_arguments(parser):
    dataplane.add_path_arguments(parser)
    parser.add_argument("--calls", type=int, default=dataplane.CALLS, help="default %(default)s")
    parser.add_argument("--load", type=float, default=0.5,
                        help="of the full rate, 0.01 to 1 (default %(default)s)")


def check(parser, options):
    dataplane.check(parser, options)
    if not 0.01 <= options.load <= 1:
        parser.error(f"--load: {options.load}: must be 0.01 to 1")


def rows(options):
    machine.need_two_cores()
    sizes = [options.size] if options.size else dataplane.SIZES[::2]
    yield from dataplane.measure("latency", options, options.calls, sizes, ["--load", options.load])
