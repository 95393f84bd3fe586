"""tools/bench users: what local users cost."""
import json
import os
import subprocess

from bench_lib import machine

HELP = "local users: reading their files, memory, logins, and what a reload holds up"
FIELDS = ["bench", "file", "users", "load_s", "octets_per_user", "peak_mb", "find_ns", "login_us",
          "longest_ms", "reload_s", "login_us_in_reload", "longest_ms_in_reload"]
PROGRAM = "tools/bench_users/culvert-bench-users"


def add_arguments(parser):
    parser.add_argument("--users", type=int, help="instead of 1000 and 1000000")
    parser.add_argument("--build", metavar="FOLDER",
                        help="measure the program of this build folder")


def rows(options):
    program = (os.path.join(options.build, PROGRAM) if getattr(options, "build", None)
               else machine.build(PROGRAM))
    wanted = getattr(options, "users", None)
    for file in ("users", "chap-secrets"):
        for users in [wanted] if wanted else [1000, 1000000]:
            done = subprocess.run([program, file, str(users)], check=True, capture_output=True,
                                  text=True)
            yield json.loads(done.stdout)
