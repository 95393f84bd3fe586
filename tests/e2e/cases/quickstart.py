"""tools/quickstart --once, after its build: passes, and leaves nothing behind."""
import os
import subprocess
import sys

from lab.case import case, expect
from lab.process import run

QUICKSTART = os.path.join(os.path.dirname(__file__), "..", "..", "..", "tools", "quickstart.py")


def huge_pages():
    with open("/proc/sys/vm/nr_hugepages", encoding="ascii") as file:
        return int(file.read())


@case("quickstart", limit=150)
def quickstart(lab):
    before = huge_pages()
    with open(lab.path("quickstart.log"), "wb") as log:
        started = subprocess.Popen(
            [sys.executable, QUICKSTART, "--build", lab.build, "--once", "yes"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, "TMPDIR": lab.directory})
        lab.on_close(started.terminate)
        status = started.wait(140)
    with open(lab.path("quickstart.log"), encoding="utf-8") as log:
        text = log.read()
    expect(status == 0, f"status {status}: {text[-200:]}")
    expect("SHA-256 equal" in text and "alice" in text, f"says: {text[-300:]}")
    left = [n for n in run(["ip", "netns"]).stdout.split() if n.startswith(f"cv{started.pid}")]
    left += [n for n in os.listdir(lab.directory) if n.startswith(("culvert-quickstart", "rig"))]
    expect(not left, f"left behind: {left}")
    expect(huge_pages() <= before, f"{huge_pages()} huge pages, {before} before")
