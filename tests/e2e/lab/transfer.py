"""A server in a namespace that sends or takes one file per connection, with its SHA-256."""
import hashlib
import os
import socket
import threading

from lab.network import inside

CHUNK = 1 << 16


class FileServer:
    """FileServer: port `get` sends the file, port `put` takes one and keeps its digest."""

    GET, PUT = 9001, 9002

    def __init__(self, namespace, path):
        self._path = path
        self._received = []
        self._got = threading.Event()
        self._sockets = [inside(namespace, lambda p=p: self._listen(p))
                         for p in (self.GET, self.PUT)]
        for sock, serve in zip(self._sockets, (self._send, self._take)):
            threading.Thread(target=self._accept, args=(sock, serve), daemon=True).start()

    @staticmethod
    def _listen(port):
        sock = socket.create_server(("0.0.0.0", port))
        return sock

    def _accept(self, sock, serve):
        while True:
            try:
                connection, _ = sock.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def _send(self, connection):
        with connection, open(self._path, "rb") as file:
            try:
                connection.sendfile(file)
            except OSError:
                pass    # the client went away

    def _take(self, connection):
        digest = hashlib.sha256()
        with connection:
            try:
                while data := connection.recv(CHUNK):
                    digest.update(data)
            except OSError:
                pass
        self._received.append(digest.hexdigest())
        self._got.set()

    def received(self, seconds=10):
        """The digest of the last file taken, or None."""
        self._got.wait(seconds)
        self._got.clear()
        return self._received[-1] if self._received else None

    def close(self):
        for sock in self._sockets:
            sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def make_file(path, size):
    """A file of random octets; returns its SHA-256."""
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        while size > 0:
            data = os.urandom(min(CHUNK, size))
            digest.update(data)
            file.write(data)
            size -= len(data)
    return digest.hexdigest()


def get_command(host):
    """A shell command that fetches the file and prints its digest."""
    return f"sha256sum </dev/tcp/{host}/{FileServer.GET} | cut -d' ' -f1"


def put_command(host, path):
    """A shell command that sends a file."""
    return f"cat {path} >/dev/tcp/{host}/{FileServer.PUT}"
