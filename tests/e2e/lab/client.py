"""A real Linux client of tests/peers, with a shell inside once its link is up."""
import os
import re
import shlex
import signal
import subprocess

from lab import process
from lab.network import CLIENT, GATEWAY
from lab.process import Failure

RIG = os.path.join(os.path.dirname(__file__), "..", "..", "peers", "client")

# Runs in the guest, which sees the host's files: the next command is a file that appears.
_SHELL = r"""
n=1
while :; do
    until [ -e "$0/$n" ]; do sleep 0.05; done
    [ -s "$0/$n" ] || exit 0
    out=$(. "$0/$n" 2>&1); rc=$?
    printf '\n@@ %d begin\n%s\n@@ %d end %d\n' "$n" "$out" "$n" "$rc"
    n=$((n + 1))
done
"""
_SYSLOG = re.compile(r"^\w{3} +\d+ \d\d:\d\d:\d\d \S+\[\d+\]: ")


class Client:
    """Client: one dial-in. `up` waits for the link, `run` runs shell commands in the guest.

    It ends by itself `seconds` after its link came up."""

    def __init__(self, network, directory, index=0, dial=0, user="alice", password="secret",
                 auth="mschap-v2", mppe="128", options=(), seconds=240):
        self.name = f"client{index}-{dial}"
        self.log = os.path.join(directory, f"{self.name}.log")
        self._commands = os.path.join(directory, f"{self.name}.commands")
        self._number = 0
        os.mkdir(self._commands)
        self._process = process.start(
            [RIG, "--netns", network.client(index), "--if", f"cli{index}",
             "--server", GATEWAY[index], "--ip", f"{CLIENT[index]}/24", "--gateway", GATEWAY[index],
             "--user", user, "--password", password, "--auth", auth, "--mppe", mppe,
             "--link-timeout", "25", "--command-timeout", seconds, *options,
             "--", "bash", "-c", _SHELL, self._commands], self.log)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def up(self, seconds=40):
        """Waits for the link; returns the address the client got."""
        def there():
            text = self.text()
            if "== LINK UP" in text:
                return True
            if "== LINK FAILED" in text or self._process.poll() is not None:
                raise Failure(f"{self.name}: no link: {self._last_words()}")
            return False
        process.wait_for(f"{self.name}'s link", there, seconds)
        return re.findall(r"local  IP address (\S+)", self.text())[-1]

    def refused(self, seconds=45):
        """Waits for the client to give up; Failure if its link came up. Returns its log."""
        status = self.wait(seconds)
        if status != 10:
            raise Failure(f"{self.name}: status {status} instead of 10 (no link)")
        return self.text()

    def start(self, command):
        """Gives the guest a command; returns its number for `finish`."""
        self._number += 1
        path = os.path.join(self._commands, str(self._number))
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(command)
        os.rename(path + ".new", path)
        return self._number

    def finish(self, number, seconds=60):
        """Waits for a command; returns (status, output)."""
        end = re.compile(rf"^@@ {number} begin\n(.*?)^@@ {number} end (\d+)$", re.M | re.S)

        def there():
            if found := end.search(self.text()):
                return found
            if self._process.poll() is not None:
                raise Failure(f"{self.name} ended during a command: {self._last_words()}")
            return None
        found = process.wait_for(f"the end of a command in {self.name}", there, seconds)
        lines = [l for l in found[1].splitlines() if not _SYSLOG.match(l)]
        return int(found[2]), "\n".join(lines).strip()

    def try_run(self, command, seconds=60):
        """Runs a shell command in the guest; returns (status, output)."""
        return self.finish(self.start(command), seconds)

    def run(self, command, seconds=60):
        """Runs a shell command in the guest that must succeed; returns its output."""
        status, output = self.try_run(command, seconds)
        if status != 0:
            raise Failure(f"{self.name}: {shlex.quote(command)}: status {status}: {output[-300:]}")
        return output

    def ping(self, address, count=3, options=""):
        self.run(f"ping -n -c {count} -i 0.1 -W 3 {options} {address}")

    def route(self, prefix):
        """Sends a prefix into the tunnel."""
        self.run(f'ip route replace {prefix} dev "$PPP_IFACE"')

    def hang_up(self):
        """Ends the session in good order; returns the rig's status (0: all was well)."""
        self.start("")
        return self.wait(20)

    def running(self):
        return self._process.poll() is None

    def wait(self, seconds):
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {seconds} s") from None

    def close(self):
        process.stop(self._process, 10, signal.SIGTERM)

    def _last_words(self):
        lines = [_SYSLOG.sub("", l) for l in self.text().splitlines() if l.strip()]
        return " / ".join(lines[-4:])[-300:]
