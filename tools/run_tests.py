#!/usr/bin/env python3
"""Builds with ASan and UBSan and runs every test; the last line is `N passed, N failed`.

usage: tools/test [--only unit|golden|fuzz|e2e] [-j N] [REGEX]

REGEX picks programs (unit, golden, fuzz) and cases (e2e) by name. Logs are in build/logs.
"""
import argparse
import collections
import json
import os
import re
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEST_BUILD = os.path.join(ROOT, "build", "test")
FUZZ_BUILD = os.path.join(ROOT, "build", "fuzz")
LOGS = os.path.join(ROOT, "build", "logs")
PARTS = ("unit", "golden", "fuzz", "e2e")
MESON_SKIP = 77
RELEASE_CASES = re.compile(r"-release$")    # end-to-end cases that want build/release too
FUZZ_SECONDS = 5    # for each target

ENVIRONMENT = {
    **os.environ,
    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "detect_leaks=1:detect_container_overflow=0:"
                                   "detect_stack_use_after_return=1"),
    "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1"),
}


class Tally:
    """Tally: what passed, failed and was skipped so far, and the progress line."""

    def __init__(self):
        self.count = collections.Counter()
        self.failures = []
        self.began = time.monotonic()

    def add(self, part, name, passed, failed, skipped, seconds):
        self.count.update(passed=passed, failed=failed, skipped=skipped)
        text = f"{passed} passed" + (f", {failed} FAILED" if failed else "") + \
            (f", {skipped} skipped" if skipped else "")
        print(f"{part:6} {name}: {text} ({seconds:.1f} s)", flush=True)

    def fail(self, text):
        self.failures.append(text)
        print(f"FAIL   {text}", flush=True)

    def step(self, text):
        seconds = time.monotonic() - self.began
        print(f"[{int(seconds) // 60:2d}:{int(seconds) % 60:02d}] {text}", flush=True)

    def last_line(self):
        line = f"{self.count['passed']} passed, {self.count['failed']} failed"
        return line + (f", {self.count['skipped']} skipped" if self.count["skipped"] else "")


def build(kind, *targets):
    """Builds, showing progress; False when it failed."""
    return subprocess.run([os.path.join(ROOT, "tools", "build"), kind, *targets],
                          check=False).returncode == 0


def meson_tests(directory):
    """(part, name, meson's record) of all programs that meson knows as tests."""
    text = subprocess.run(["meson", "introspect", "--tests", directory], capture_output=True,
                          text=True, check=True).stdout
    for record in json.loads(text):
        name = record["name"]
        part = "golden" if "golden" in name else "unit"
        yield part, name, record


def gtest_results(path):
    """(passed, [failure text], skipped) of a gtest JSON report."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    passed, failures, skipped = 0, [], 0
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            if test.get("result") == "SKIPPED":
                skipped += 1
            elif failed := test.get("failures"):
                first = failed[0]["failure"].replace("\n", " ")[:200]
                failures.append(f"{suite['name']}.{test['name']}: {first}")
            elif test.get("result") == "COMPLETED":
                passed += 1
    return passed, failures, skipped


def run_program(tally, part, name, record):
    """Runs one test program; counts gtest's cases one by one, others as one."""
    log = os.path.join(LOGS, f"{part}-{name.replace('/', '-')}.log")
    report = log[:-3] + "json"
    if os.path.exists(report):
        os.remove(report)
    gtest = record.get("protocol") == "gtest"
    command = record["cmd"] + ([f"--gtest_output=json:{report}"] if gtest else [])
    began = time.monotonic()
    try:
        with open(log, "wb") as out:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                    cwd=record.get("workdir") or ROOT, check=False,
                                    env={**ENVIRONMENT, **record.get("env", {})},
                                    timeout=max(record.get("timeout") or 0, 900)).returncode
    except subprocess.TimeoutExpired:
        status = "out of time"
    seconds = time.monotonic() - began
    if gtest and os.path.exists(report):
        passed, failures, skipped = gtest_results(report)
    else:
        passed, failures, skipped = int(status == 0), [], int(status == MESON_SKIP)
    if status not in (0, MESON_SKIP) and not failures:
        failures = [f"status {status}"]     # a crash, a sanitizer, or no gtest
    for failure in failures:
        tally.fail(f"{name}: {failure} (log: {log})")
    tally.add(part, name, passed, len(failures), skipped, seconds)


def run_programs(tally, directory, wanted, pattern):
    for part, name, record in meson_tests(directory):
        if part in wanted and pattern.search(name):
            run_program(tally, part, name, record)


def run_fuzz(tally, pattern):
    """A few seconds of each fuzz target from its seeds."""
    targets = [name[5:] for name in sorted(os.listdir(os.path.join(FUZZ_BUILD, "tests", "fuzz")))
               if re.fullmatch(r"fuzz_\w+", name) and pattern.search(name)]
    if not targets:
        return
    log = os.path.join(LOGS, "fuzz.log")
    began = time.monotonic()
    with open(log, "wb") as errors:
        smoke = subprocess.Popen([os.path.join(ROOT, "tests", "fuzz", "smoke"), FUZZ_BUILD,
                                  str(FUZZ_SECONDS), *targets],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                 text=True, env=ENVIRONMENT)
        verdicts = collections.Counter()
        for line in smoke.stdout:
            verdict, _, rest = line.strip().partition(" ")
            verdicts[verdict] += 1
            if verdict == "FAIL":
                tally.fail(f"fuzz {rest} (log: {log})")
            else:
                print(f"fuzz   {rest}", flush=True)
        smoke.wait()
    lost = max(len(targets) - verdicts["PASS"] - verdicts["FAIL"], 0)
    if lost:
        tally.fail(f"fuzz: {lost} targets without a verdict (log: {log})")
    tally.add("fuzz", "targets", verdicts["PASS"], verdicts["FAIL"] + lost, 0,
              time.monotonic() - began)


def run_end_to_end(tally, pattern, jobs):
    results = os.path.join(LOGS, "e2e.json")
    if os.path.exists(results):
        os.remove(results)
    began = time.monotonic()
    command = [sys.executable, os.path.join(ROOT, "tests", "e2e", "run"), "--build", TEST_BUILD,
               "-j", str(jobs), "--results", results, pattern.pattern]
    names = subprocess.run(command + ["--list"], capture_output=True, text=True,
                           check=True).stdout.split()
    if not names:
        return
    if any(RELEASE_CASES.search(name) for name in names) and not build("release"):
        tally.fail("e2e: the release does not build")
        tally.count["failed"] += 1      # what was built before may still pass
    runner = subprocess.Popen(command, env=ENVIRONMENT)
    try:
        runner.wait()
    except KeyboardInterrupt:
        runner.send_signal(signal.SIGTERM)  # it removes what it made
        runner.wait()
        raise
    try:
        with open(results, encoding="utf-8") as file:
            cases = json.load(file)
    except OSError:
        cases = []
    count = collections.Counter(case["verdict"] for case in cases)
    lost = len(names) - len(cases)
    if lost:
        tally.fail(f"e2e: {lost} cases without a verdict")
    tally.add("e2e", "cases", count["PASS"], count["FAIL"] + lost, count["SKIP"],
              time.monotonic() - began)


def run_all(tally, wanted, pattern, jobs):
    if wanted & {"unit", "golden", "e2e"}:
        tally.step("building with AddressSanitizer and UndefinedBehaviorSanitizer")
        if not build("test", "all", "meson-test-prereq"):
            tally.count["failed"] += 1
            return
    if wanted & {"unit", "golden"}:
        tally.step("unit tests and golden packets")
        run_programs(tally, TEST_BUILD, wanted & {"unit", "golden"}, pattern)
    if "fuzz" in wanted:
        tally.step("fuzz targets, a short run of each")
        if build("fuzz", "fuzz_targets"):
            run_fuzz(tally, pattern)
        else:
            tally.count["failed"] += 1
    if "e2e" in wanted:
        tally.step("end to end")
        run_end_to_end(tally, pattern, jobs)


def main():
    parser = argparse.ArgumentParser(prog="tools/test", description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=PARTS, help="one part only")
    parser.add_argument("-j", dest="jobs", type=int, default=max(2, os.cpu_count() or 2),
                        help="end-to-end cases at a time (default: one for each core)")
    parser.add_argument("pattern", nargs="?", default=".", help="regular expression for names")
    args = parser.parse_args()
    try:
        pattern = re.compile(args.pattern)
    except re.error as error:
        parser.error(f"bad regular expression {args.pattern!r}: {error}")
    os.makedirs(LOGS, exist_ok=True)

    def terminated(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, terminated)
    tally = Tally()
    try:
        run_all(tally, {args.only} if args.only else set(PARTS), pattern, args.jobs)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        tally.count["failed"] += 1
    for text in tally.failures:
        print(f"FAIL   {text}", flush=True)
    tally.step("done")
    print(tally.last_line(), flush=True)
    return 0 if tally.count["failed"] == 0 and tally.count["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
