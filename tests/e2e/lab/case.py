"""The list of cases, and what a case gets to work with."""
import os
import random

from lab import gateway, process
from lab.client import Client
from lab.network import Network
from lab.process import Failure, expect
from lab.wire import Tap

CASES = {}      # name -> (function, time limit in seconds)


def case(name, limit=90):
    """Decorator: puts a function of one argument, a Lab, on the list."""
    def add(function):
        assert name not in CASES, name
        CASES[name] = (function, limit)
        return function
    return add


class Lab:
    """Lab: network, gateway and clients of one case. All ends with `close`."""

    def __init__(self, build, directory):
        self.build, self.directory = build, directory
        self.network = None
        self.gateway = None
        self._closers = []
        self._dials = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def lay_out(self, clients=1):
        """Makes the namespaces; their names are unique on the machine."""
        prefix = f"e2e{os.getpid()}{random.randrange(16**3):03x}"
        self.network = Network(prefix, clients)
        self._closers.append(self.network.close)
        self.network.open()
        return self.network

    def configure(self, clients=1, workers=1, **overrides):
        """Network and configuration, nothing started yet."""
        self.lay_out(clients)
        config = gateway.default_config(self.directory, clients, workers, **overrides)
        self.gateway = gateway.Gateway(self.build, self.network, self.directory, config)
        self._closers.append(self.gateway.kill)
        return self.gateway

    def start(self, clients=1, workers=1, **overrides):
        """Network, configuration and both processes, ready for calls."""
        return self.configure(clients, workers, **overrides).start()

    def dial(self, index=0, **options):
        """A real client that dials; returns at once."""
        self._dials += 1
        client = Client(self.network, self.directory, index, self._dials, **options)
        self._closers.append(client.close)
        return client

    def tap(self, index=0):
        tap = Tap(self.network, index)
        self._closers.append(tap.close)
        return tap

    def start_in(self, namespace, *argv):
        """A program of its own in a namespace, ended with the case."""
        started = process.start(["ip", "netns", "exec", namespace, *argv],
                                self.path(f"{argv[0]}.log"))
        self._closers.append(lambda: process.stop(started))
        return started

    def on_close(self, function):
        self._closers.append(function)

    def finish(self):
        """The end of a case that passed: a clean stop is part of every case."""
        if self.gateway:
            self.gateway.stop()

    def symptoms(self):
        """What the processes themselves say when a case failed: crashes, sanitizers."""
        return self.gateway.symptoms() if self.gateway else []

    def close(self):
        while self._closers:
            try:
                self._closers.pop()()
            except Exception as error:  # the rest must be closed too
                print(f"while closing: {error}")


__all__ = ["CASES", "Failure", "Lab", "case", "expect", "process"]
