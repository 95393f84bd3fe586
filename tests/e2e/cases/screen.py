"""What culvert-load shows in a terminal."""
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from cases.load import SINK, SOURCES, start
from lab import process
from lab.case import case, expect
from lab.gateway import find_binary
from lab.network import GATEWAY

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal:
    """Terminal: a program with a terminal of its own, and all that it has written to it."""

    def __init__(self, argv, rows, columns):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen([str(part) for part in argv], stdin=slave, stdout=slave,
                                        stderr=slave, preexec_fn=take_terminal)
        os.close(slave)
        self.text = ""

    def read(self, seconds, until=None):
        """Reads for that long, or until the text has that, or the program has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until and until in self.text):
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                self.text += os.read(self.master, 4096).decode(errors="replace")
            except OSError:     # nobody has it open any more
                break
        return self.text

    def press(self, keys):
        os.write(self.master, keys)

    def hang_up(self):
        """As when its window is closed: SIGHUP, and nothing can be written any more."""
        os.close(self.master)
        self.master = None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master is not None:
            os.close(self.master)


def drawn(text, columns):
    """What such a terminal shows in the end: only what culvert-load writes is understood."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[\??\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif match := re.fullmatch(r"\x1b\[(\d+)A", part):
            row -= int(match[1])
            expect(row >= 0, "the cursor goes above what was drawn")
        elif part == "\x1b[J":
            lines[row:] = [""]
        elif part in (HIDE, SHOW, "\r"):
            pass
        else:
            expect(not part.startswith("\x1b"), f"an escape that nobody needs: {part!r}")
            lines[row] += part
            expect(len(lines[row]) <= columns or "culvert-load" in lines[row],
                   f"{len(lines[row])} columns: {lines[row]}")
    return [line for line in lines if line]


@case("load-screen", limit=120)
def load_screen(lab):
    """A screen in a terminal, drawn in place; the cursor is back at the end and after Ctrl-C."""
    gateway = start(lab)
    for columns, presses in ((80, False), (120, False), (80, True)):
        terminal = Terminal(
            ["ip", "netns", "exec", lab.network.client(), find_binary(lab.build, "culvert-load"),
             "run", "--server", GATEWAY[0], "--password", "secret", "--source", SOURCES, "--calls",
             30, "--rate", 30, "--users", 1000, "--sink", SINK, "--seconds", 60 if presses else 3],
            24, columns)
        lab.on_close(terminal.close)
        terminal.read(20, "30 of 30 calls up")
        expect("30 of 30 calls up" in terminal.text, terminal.text[-500:])
        expect(terminal.text.count(HIDE) == 1 and SHOW not in terminal.text, "the cursor")
        if presses:
            terminal.press(b"\x03")
        text = terminal.read(30).replace("^C", "")
        status = terminal.process.wait(20)
        expect(status == 0, f"status {status}: {text[-300:]}")
        expect(text.count(SHOW) == 1, "the cursor is not shown again")
        screen = drawn(text.split(SHOW)[0], columns)
        print("\n".join(screen))
        expect(sum("calls up" in line for line in screen) == 1, f"not in place: {screen}")
        expect(all(any(line.startswith(what) for line in screen) for what in (
            "[", "calls", "dialling", "set-up", "up ", "down ", "round trip")), screen)
        expect("calls: 30 asked, 30 established" in text.split(SHOW)[1], text[-300:])
        gateway.wait_calls(0)


@case("load-unread", limit=150)
def load_unread(lab):
    """A terminal that is closed, a reader that goes, a disk that is full: the run goes on or ends in
    good order, its calls are hung up, and the report is written where it can be."""
    gateway = start(lab)
    report = lab.path("unread.json")
    run = ["ip", "netns", "exec", lab.network.client(), find_binary(lab.build, "culvert-load"),
           "run", "--server", GATEWAY[0], "--password", "secret", "--calls", 5, "--rate", 20,
           "--json", report, "--max-failed", 0]
    run = [str(part) for part in run]

    def expect_report(what):
        with open(report, encoding="utf-8") as file:
            found = json.load(file)
        os.unlink(report)
        expect(found["established"] == 5 and found["ended_early"] == 0, f"{what}: {found}")
        gateway.wait_calls(0)
    terminal = Terminal([*run, "--seconds", 300], 24, 80)
    lab.on_close(terminal.close)
    terminal.read(60, "5 of 5 calls up")
    terminal.hang_up()
    status = terminal.process.wait(60)
    expect(status == 2, f"terminal closed: status {status}")     # nobody could read the report
    expect_report("terminal closed")
    # The pipe's status is that of head.
    for shell, status in (('"$@" 2>/dev/full', 0), ('"$@" >/dev/full', 2),
                          ('"$@" 2>&1 | head -n 1', 0)):
        done = process.run(["bash", "-c", shell, "run", *run, "--seconds", 3], 100, check=False)
        expect(done.returncode == status, f"{shell}: status {done.returncode}: {done.stderr}")
        expect_report(shell)
    done = process.run(
        ["bash", "-c", '"$@" >/dev/full', "ctl", find_binary(lab.build, "culvertctl"), "--socket",
         gateway.config["management"]["socket"], "calls"], check=False)
    expect(done.returncode == 1 and "cannot write to standard output" in done.stderr,
           f"culvertctl: status {done.returncode}: {done.stderr}")
