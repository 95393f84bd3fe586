"""tools/bench --plot: packet size against Gbit/s of one core, MPPE alone, as an SVG by gnuplot."""
import os
import subprocess

from bench_lib import machine, mppe

FILE = os.path.join(machine.ROOT, "docs", "images", "mppe.svg")
SIZES = [64, 96, 128, 192, 256, 384, 512, 640, 768, 896, 1024, 1152, 1280, 1400]
SAMPLES = 31
SCRIPT = """
set terminal svg size 720,420 font "sans-serif,13" background "white"
set output "{file}"
set title "MPPE alone, stateless, 128 bit, 32 calls, one core"
set xlabel "octets of the inner IP packet"
set ylabel "Gbit/s"
set xrange [0:1450]
set yrange [0:*]
set grid
set key top left
plot $points using 1:2 with linespoints linewidth 2 title "Culvert", \\
     $points using 1:3 with linespoints linewidth 2 title "plain C, 32-bit table (as in Linux)", \\
     $points using 1:4 with linespoints linewidth 2 title "OpenSSL RC4 and SHA-1"
"""


def points(core):
    """Size and Gbit/s of the three."""
    program = machine.build(mppe.TARGET)
    for size in SIZES:
        line = mppe.command(program, core, "stateless", "decrypt", 128, size, 32, SAMPLES)
        for row in machine.run(line):
            gbps = row["gbps"]
            yield size, gbps, gbps / row["ratio_plain_c"], gbps / row["ratio_openssl"]


def draw(core):
    try:
        subprocess.run(["gnuplot", "--version"], stdout=subprocess.DEVNULL, check=True)
    except FileNotFoundError:
        machine.fail("gnuplot is not installed (package gnuplot-nox)")
    data = "".join("%d %.3f %.3f %.3f\n" % point for point in points(core))
    script = "$points << EOD\n" + data + "EOD" + SCRIPT.format(file=FILE)
    if subprocess.run(["gnuplot"], input=script, text=True).returncode != 0:
        machine.fail("gnuplot failed")
    print(FILE)
