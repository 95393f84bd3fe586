"""The cases; importing this module fills the list."""
from cases import (attacks, authentication, bad_paths, calls, floods, ipv6, ports,  # noqa: F401
                   quickstart, radius, start, traffic, users)
