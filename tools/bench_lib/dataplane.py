"""tools/bench dataplane: the whole path of one worker."""
from bench_lib import machine

HELP = "packets through the whole path of one worker, between ports in memory"
TARGET = "tools/bench_dataplane/culvert-bench-dataplane"
FIELDS = ["bench", "path", "mppe", "size", "calls", "mpps", "gbps", "cycles_per_packet",
          "testpmd_mac_mpps"]
SIZES = [64, 576, 1400]
MAX_CALLS = 65535 * 16


def add_arguments(parser):
    parser.add_argument("--mppe", choices=["none", "128"])
    parser.add_argument("--size", type=int, help="octets of the inner IP packet, 40 to 1456")
    parser.add_argument("--calls", type=int, default=65535, help="1 to 1048560 (default %(default)s)")
    parser.add_argument("--path", choices=["upstream", "downstream"])


def check(parser, options):
    if options.size is not None and not 40 <= options.size <= 1456:
        parser.error(f"--size: {options.size}: must be 40 to 1456")
    if not 1 <= options.calls <= MAX_CALLS:
        parser.error(f"--calls: {options.calls}: must be 1 to {MAX_CALLS}")


def rows(options):
    program = machine.build(TARGET)
    testpmd = machine.testpmd_mac_mpps(options.core)
    with machine.huge_pages(384 + options.calls // 2048) as huge:
        for path in [options.path] if options.path else ["upstream", "downstream"]:
            for mppe in [options.mppe] if options.mppe else ["none", "128"]:
                for size in [options.size] if options.size else SIZES:
                    command = [program, "--path", path, "--mppe", mppe, "--size", size,
                               "--calls", options.calls, "--core", options.core]
                    for row in machine.run(command + (["--huge-pages"] if huge else [])):
                        yield row | {"testpmd_mac_mpps": testpmd}
