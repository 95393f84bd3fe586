"""Raw access to the wire between a client and the gateway: listening, and forging packets."""
import socket
import struct
import threading
import time

from lab.network import inside

ETH_P_ALL = 3
GRE = 47


class Tap:
    """Tap: a packet socket on a client's interface that keeps every frame it sees, both ways."""

    def __init__(self, network, index=0):
        interface = f"cli{index}"

        def make():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            sock.bind((interface, 0))
            return sock
        self._socket = inside(network.client(index), make)
        self._socket.settimeout(0.2)
        self._frames = []
        self._ended = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while not self._ended:
            try:
                self._frames.append(self._socket.recv(65535))
            except socket.timeout:
                pass
            except OSError:
                return

    def frames(self):
        return list(self._frames)

    def send(self, frame):
        self._socket.send(frame)

    def close(self):
        self._ended = True
        self._thread.join()
        self._socket.close()

    def gre(self, source):
        """[(Ethernet header, GrePacket)] of what `source` (an address) sent."""
        found = []
        for frame in self.frames():
            if frame[12:14] == b"\x08\x00" and frame[23] == GRE and \
                    frame[26:30] == socket.inet_aton(source):
                found.append((frame[:14], GrePacket(frame[14:])))
        return found

    def control_messages(self, source):
        """Types of the PPTP control messages from `source`, one per TCP segment's start."""
        types = []
        for frame in self.frames():
            if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_TCP or \
                    frame[26:30] != socket.inet_aton(source):
                continue
            ip = frame[14:]
            tcp = ip[(ip[0] & 15) * 4:struct.unpack_from(">H", ip, 2)[0]]
            data = tcp[(tcp[12] >> 4) * 4:]
            while len(data) >= 10 and data[4:8] == b"\x1a\x2b\x3c\x4d":
                types.append(struct.unpack_from(">H", data, 8)[0])
                data = data[max(struct.unpack_from(">H", data)[0], 12):]
        return types


class GrePacket:
    """GrePacket: the enhanced GRE header (RFC 2637 s4.1) of an IPv4 packet."""

    def __init__(self, ip):
        at = (ip[0] & 15) * 4
        self.flags, self.protocol, self.length, self.call_id = struct.unpack_from(">HHHH", ip, at)
        self.sequence = struct.unpack_from(">I", ip, at + 8)[0] if self.flags & 0x1000 else None


def ipv4(source, destination, protocol, payload, ttl=64):
    """An IPv4 packet without options."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, ttl, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(destination))
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    checksum = ~((total & 0xffff) + (total >> 16)) & 0xffff
    return head[:10] + struct.pack(">H", checksum) + head[12:] + payload


def gre(call_id, sequence, frame, flags=0x3001, protocol=0x880b, length=None):
    """An enhanced GRE packet with a sequence number and a PPP frame."""
    size = len(frame) if length is None else length
    return struct.pack(">HHHHI", flags, protocol, size, call_id, sequence & 0xffffffff) + frame


def settle(seconds=0.3):
    """Gives packets in flight the time to arrive."""
    time.sleep(seconds)
