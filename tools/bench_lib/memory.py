"""tools/bench memory: what the data plane takes for its calls."""
from bench_lib import dataplane, machine

HELP = "memory of the data plane for its calls, by parts"
FIELDS = ["bench", "mppe", "calls", "octets_per_call", "table_per_call", "forwarding_per_call",
          "heap_per_call", "without_calls_mb", "total_mb", "total_per_call", "buffers_mb"]


def add_arguments(parser):
    parser.add_argument("--mppe", choices=dataplane.MPPE)
    parser.add_argument("--calls", type=int, default=dataplane.MANY_CALLS, help="default %(default)s")


def check(parser, options):
    options.path, options.size, options.samples = "upstream", 64, 1
    dataplane.check(parser, options)


def rows(options):
    options.mppe = options.mppe or "128"
    yield from dataplane.measure("memory", options, options.calls, [options.size])
