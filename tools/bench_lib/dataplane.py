"""tools/bench dataplane: the whole path of one worker."""
from bench_lib import machine

HELP = "packets through the whole path of one worker, between ports in memory"
TARGET = "tools/bench_dataplane/culvert-bench-dataplane"
FIELDS_WORKERS = ["bench", "path", "mppe", "size", "calls", "workers", "mpps", "gbps",
                  "mpps_one_worker", "ratio_one_worker", "handed_over", "lost", "busy_first",
                  "busy_second", "samples", "core_alone", "disturbed"]
FIELDS = ["bench", "path", "mppe", "size", "calls", "mpps", "gbps", "cycles_per_packet",
          "empty_cycles", "ack_cycles", "acks_per_packet", "ratio_1000_calls", "of_bare_mppe",
          "of_bare_same_buffers", "samples", "core_alone", "testpmd_mac_mpps"]
PATHS = ["upstream", "downstream"]
MPPE = ["none", "128"]
SIZES = [64, 576, 1400]
CALLS = 65536
MANY_CALLS = 1000000
MAX_CALLS = 65535 * 16


def add_path_arguments(parser, samples=51):
    parser.add_argument("--path", choices=PATHS)
    parser.add_argument("--mppe", choices=MPPE)
    parser.add_argument("--size", type=int, help="octets of the inner IP packet, 40 to 1456")
    parser.add_argument("--samples", type=int, default=samples, help="default %(default)s")


def add_arguments(parser):
    add_path_arguments(parser, 101)
    parser.add_argument("--workers", type=int, choices=[1, 2], default=1,
                        help="2: all packets from one outer address, beside one worker")
    parser.add_argument("--calls", type=int, help=f"1 to {MAX_CALLS} (default: {CALLS}, and "
                        f"{MANY_CALLS} with the smallest size)")


def check(parser, options):
    if options.size is not None and not 40 <= options.size <= 1456:
        parser.error(f"--size: {options.size}: must be 40 to 1456")
    if getattr(options, "calls", None) is not None and not 1 <= options.calls <= MAX_CALLS:
        parser.error(f"--calls: {options.calls}: must be 1 to {MAX_CALLS}")


def megabytes(calls):
    """What EAL needs for that many calls: forwarding tables, buffers, rings."""
    return 512 + calls // 2048


def table_megabytes(calls):
    """Call tables, at most two of that many calls and two small ones, in huge pages too."""
    return 16 * (2 * (calls // 65535 + 1) + 2)


def command(program, mode, options, path, mppe, size, calls, megabytes_of_eal, huge):
    line = [program, mode, "--path", path, "--mppe", mppe, "--size", size, "--calls", calls,
            "--core", options.core, "--other-core", machine.other_core(options.core),
            "--samples", options.samples, "--memory", megabytes_of_eal]
    return line + (["--huge-pages"] if huge else [])


def fields(options):
    return FIELDS_WORKERS if options.workers > 1 else FIELDS


def measure(mode, options, calls, sizes, more=()):
    """Runs the program once for each combination that was not chosen."""
    program = machine.build(TARGET)
    with machine.huge_pages(megabytes(calls) + table_megabytes(calls)) as huge:
        for path in [options.path] if options.path else PATHS:
            for mppe in [options.mppe] if options.mppe else MPPE:
                for size in sizes:
                    line = command(program, mode, options, path, mppe, size, calls,
                                   megabytes(calls), huge)
                    yield from machine.run(line + list(more))


def rows(options):
    calls = options.calls or CALLS
    if options.workers > 1:
        machine.need_two_cores()
        yield from measure("scale", options, calls, [options.size] if options.size else SIZES[::2])
        return
    testpmd = machine.testpmd_mac_mpps(options.core)
    sizes = [options.size] if options.size else SIZES
    for row in measure("path", options, calls, sizes):
        yield row | {"testpmd_mac_mpps": testpmd}
    if not options.calls:
        for row in measure("path", options, MANY_CALLS, sizes[:1]):
            yield row | {"testpmd_mac_mpps": testpmd}
