"""tools/bench mppe: keys and RC4 of MPPE alone."""
from bench_lib import machine

HELP = "MPPE alone, in bursts of 32, against OpenSSL and against plain C"
TARGET = "tools/bench_mppe/culvert-bench-mppe"
FIELDS = ["bench", "mode", "bits", "size", "calls", "cycles_per_packet", "gbps", "ratio_openssl",
          "ratio_plain_c", "samples", "core_alone"]
SIZES = ["64", "imix", "1400"]
BITS = [40, 56, 128]
MAX_SIZE = 9000
# Mode, role, calls: what is measured when nothing is asked for.
DEFAULT = [("stateless", "decrypt", 32), ("stateless", "encrypt", 32), ("stateless", "decrypt", 1),
           ("stateful", "decrypt", 32)]


def add_arguments(parser):
    parser.add_argument("--mode", choices=["stateless", "stateful"])
    parser.add_argument("--role", choices=["decrypt", "encrypt"])
    parser.add_argument("--size", help=f"octets of the inner IP packet, 1 to {MAX_SIZE}, or imix "
                        "(64, 576 and 1400 as 7:4:1)")
    parser.add_argument("--bits", type=int, choices=BITS, default=128, help="default %(default)s")
    parser.add_argument("--calls", type=int, help="that the packets of a burst belong to")
    parser.add_argument("--samples", type=int, default=101, help="default %(default)s")
    parser.add_argument("--portable", action="store_true", help="the form without assembly")


def check(parser, options):
    if options.size not in (None, "imix") and not (
            options.size.isdigit() and 1 <= int(options.size) <= MAX_SIZE):
        parser.error(f"--size: {options.size}: must be 1 to {MAX_SIZE}, or imix")
    if options.calls is not None and not 1 <= options.calls <= 1000000:
        parser.error(f"--calls: {options.calls}: must be 1 to 1000000")


def command(program, core, mode, role, bits, size, calls, samples):
    line = [program, "--core", core, "--bits", bits, "--size", size, "--calls", calls,
            "--samples", samples]
    line += ["--stateful"] if mode == "stateful" else []
    return line + (["--encrypt"] if role == "encrypt" else [])


def cases(options):
    """Mode, role and calls of the rows; what was asked for replaces what is measured anyhow."""
    wanted = []
    for mode, role, calls in DEFAULT:
        case = (options.mode or mode, options.role or role, options.calls or calls)
        if case not in wanted:
            wanted.append(case)
    return wanted


def rows(options):
    program = machine.build(TARGET)
    for mode, role, calls in cases(options):
        for size in [options.size] if options.size else SIZES:
            line = command(program, options.core, mode, role, options.bits, size, calls,
                           options.samples)
            yield from machine.run(line + (["--portable"] if options.portable else []))
