"""Child processes that never outlive us, and waiting."""
import ctypes
import signal
import subprocess
import time

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """Failure: what was expected did not happen; its text is the one-line reason."""


class Skip(Exception):
    """Skip: the case cannot run on this machine; its text says why."""


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def start(argv, log, **options):
    """Starts argv with its output appended to the file `log`; it gets SIGTERM if we die.

    Its own session: the terminal's Ctrl-C comes to us, and we end it in good order."""
    with open(log, "ab") as out:
        return subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out,
                                stderr=subprocess.STDOUT, preexec_fn=_die_with_parent,
                                start_new_session=True, **options)


def stop(process, seconds=5.0, sig=signal.SIGTERM):
    """Ends a process; returns (exit status, seconds it took). Kills it when it does not end."""
    began = time.monotonic()
    if process.poll() is None:
        process.send_signal(sig)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return process.returncode, time.monotonic() - began


def run(argv, timeout=30, check=True):
    """Runs argv; returns the finished process with its output as text."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(map(str, argv))}: status {done.returncode}: "
                      f"{(done.stderr or done.stdout).strip()[-300:]}")
    return done


def wait_for(what, condition, seconds=10.0, interval=0.05):
    """Polls condition() until it is true and returns its value; Failure after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {seconds:g} s in vain for {what}")
        time.sleep(interval)


def expect(condition, text):
    """Raises Failure(text) unless the condition holds."""
    if not condition:
        raise Failure(text)


def tail(path, lines=15):
    """The last lines of a file, or an empty string."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError:
        return ""
