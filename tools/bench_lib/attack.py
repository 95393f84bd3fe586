"""tools/bench attack: what it costs to drop an attacker's packets."""
from bench_lib import dataplane

HELP = "cost of dropping an attacker's packets, and that good calls between them lose nothing"
FIELDS = ["bench", "attack", "mppe", "size", "calls", "cycles_per_drop", "drop_mpps", "cycles_mixed",
          "cycles_good", "good", "good_lost", "attack_passed", "reason", "samples", "core_alone"]
CALLS = 32768       # unknown Call IDs are those above


def add_arguments(parser):
    parser.add_argument("--attack", help="one alone, by its name in the table")
    parser.add_argument("--mppe", choices=dataplane.MPPE, default="128",
                        help="of the good calls (default %(default)s)")
    parser.add_argument("--size", type=int, default=64, help="default %(default)s")
    parser.add_argument("--calls", type=int, default=CALLS, help="at most 60000 (default %(default)s)")
    parser.add_argument("--samples", type=int, default=51, help="default %(default)s")


def check(parser, options):
    options.path = "upstream"
    dataplane.check(parser, options)
    if options.calls > 60000:
        parser.error(f"--calls: {options.calls}: must be 2 to 60000")


def rows(options):
    more = ["--attack", options.attack] if options.attack else []
    yield from dataplane.measure("attack", options, options.calls, [options.size], more)
