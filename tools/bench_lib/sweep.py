"""tools/bench sweep: what looking after idle calls takes."""
from bench_lib import dataplane

HELP = "the worker's sweep over calls with keepalive, idle time-out and quota"
FIELDS = ["bench", "calls", "core_percent", "cycles_per_call", "samples", "core_alone", "disturbed"]


def add_arguments(parser):
    parser.add_argument("--calls", type=int, default=dataplane.MANY_CALLS, help="default %(default)s")
    parser.add_argument("--samples", type=int, default=101, help="default %(default)s")


def check(parser, options):
    if not 1 <= options.samples <= 1800:    # a sample is a second of the sweep's clock; nothing may fall due
        parser.error(f"--samples: {options.samples}: must be 1 to 1800")
    options.path, options.mppe, options.size = "upstream", "none", 64
    dataplane.check(parser, options)


def rows(options):
    yield from dataplane.measure("sweep", options, options.calls, [options.size])
