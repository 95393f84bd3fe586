"""The cases; importing this module fills the list."""
from cases import (attacks, authentication, bad_paths, calls, durability, floods,  # noqa: F401
                   ipv6, load, ports, quickstart, radius, reload, start, traffic, users)
