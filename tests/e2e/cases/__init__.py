"""The cases; importing this module fills the list."""
from cases import attacks, authentication, calls, floods, ports, quickstart, start, traffic  # noqa: F401
