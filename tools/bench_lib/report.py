"""tools/bench all: every benchmark in one run; tools/bench tables: its rows for docs/PERFORMANCE.md."""
import json

from bench_lib import attack, dataplane, latency, memory, mppe, sweep, table

# What `all` runs, in this order: about five minutes.
RUNS = [
    ["mppe"],
    ["dataplane"],
    ["dataplane", "--workers", "2", "--samples", "31"],
    ["latency", "--samples", "31"],
    ["memory"],
    ["sweep"],
    ["attack"],
]


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def matching(rows, **fields):
    return [row for row in rows if all(row.get(key) == value for key, value in fields.items())]


def targets(rows):
    """(what, figures measured, what they must be, whether they are)."""
    def one(what, found, field, limit, at_most=False):
        values = [row[field] for row in found if row.get(field) is not None]
        good = bool(values) and all(v <= limit if at_most else v >= limit for v in values)
        return {"target": what, "measured": ", ".join(f"{v:g}" for v in values) or None,
                "must": ("at most " if at_most else "at least ") + f"{limit:g}",
                "met": "yes" if good else "no" if values else None}
    path = [row for row in matching(rows, bench="dataplane") if "workers" not in row]
    two = [row for row in matching(rows, bench="dataplane", mppe="128") if "workers" in row]
    many = {"calls": dataplane.MANY_CALLS}
    few = {"calls": dataplane.CALLS}
    def mppe_rows(mode, calls):
        return [row for row in matching(rows, bench="mppe", calls=calls)
                if row["mode"].startswith(mode)]
    stateless = mppe_rows("stateless", 32)
    found = []
    for size, openssl, plain in ((64, 5.0, 4.0), ("imix", 4.3, 3.8), (1400, 3.6, 3.5)):
        of_size = [row for row in stateless if str(row["size"]) == str(size)]
        found.append(one(f"mppe {size}, of OpenSSL", of_size, "ratio_openssl", openssl))
        found.append(one(f"mppe {size}, of plain C", of_size, "ratio_plain_c", plain))
    found += [
        one("mppe, one call, of OpenSSL", matching(rows, bench="mppe", calls=1), "ratio_openssl",
            2.8),
        one("mppe, stateful, of OpenSSL", mppe_rows("stateful", 32), "ratio_openssl", 2.0),
        one("whole path, 128 bit, 64 octets, of bare mppe",
            matching(path, mppe="128", size=64, **few), "of_bare_mppe", 0.80),
        one("whole path, 128 bit, 1400 octets, of bare mppe",
            matching(path, mppe="128", size=1400, **few), "of_bare_mppe", 0.93),
        one("whole path in clear, 64 octets, Mpps", matching(path, mppe="none", size=64, **few),
            "mpps", 15),
        one("the same, texts in the path's buffers, 64 octets",
            matching(path, mppe="128", size=64, **few), "of_bare_same_buffers", 0.80),
        one("the same, texts in the path's buffers, 1400 octets",
            matching(path, mppe="128", size=1400, **few), "of_bare_same_buffers", 0.93),
        one("1,000,000 calls, cycles of 1000 calls", matching(path, **many), "ratio_1000_calls",
            1.15, at_most=True),
        one("two workers behind one NAT, 128 bit, of one", two, "ratio_one_worker", 1.8),
        one("sweep of 1,000,000 calls, % of a core", matching(rows, bench="sweep"), "core_percent",
            2, at_most=True),
        one("octets a call", matching(rows, bench="memory"), "octets_per_call", 512, at_most=True),
        one("drops under attack, Mpps", matching(rows, bench="attack"), "drop_mpps", 5),
        one("good packets lost under attack", matching(rows, bench="attack"), "good_lost", 0,
            at_most=True),
    ]
    return found


def print_tables(path):
    """Markdown: the targets, then a table for each benchmark."""
    rows = read_rows(path)
    sections = [
        ("Targets", ["target", "measured", "must", "met"], targets(rows)),
        ("Whole path", dataplane.FIELDS,
         [row for row in matching(rows, bench="dataplane") if "workers" not in row]),
        ("Two workers", dataplane.FIELDS_WORKERS, matching(rows, bench="dataplane", workers=2)),
        ("Latency", latency.FIELDS, matching(rows, bench="latency")),
        ("Memory", memory.FIELDS, matching(rows, bench="memory")),
        ("Sweep", sweep.FIELDS, matching(rows, bench="sweep")),
        ("Under attack", attack.FIELDS, matching(rows, bench="attack")),
        ("MPPE alone", mppe.FIELDS, matching(rows, bench="mppe")),
    ]
    for title, fields, found in sections:
        if not found:
            continue
        print(f"### {title}\n")
        printer = table.Printer(fields, as_json=False, markdown=True)
        for row in found:
            printer.print(row)
        print()
