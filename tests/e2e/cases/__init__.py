"""The cases; importing this module fills the list."""
from cases import (attacks, authentication, bad_paths, calls, conformance, durability,  # noqa: F401
                   filters, floods, ipv6, load, monkey, ports, quickstart, radius, reload, screen,
                   shards, start, traffic, users)
