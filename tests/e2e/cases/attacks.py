"""Bad input on the wire: dropped, counted under its own name, and the call goes on."""
import os
import socket
import struct

from lab import process
from lab.case import case, expect
from lab.network import CLIENT, GATEWAY, INTERNET, TUNNEL_GATEWAY, inside
from lab.wire import GRE, gre, ipv4, settle

COOKIE = 0x1a2b3c4d


class Forger:
    """Forger: sends frames that look as if the client of an open call had sent them."""

    def __init__(self, lab, gateway):
        self.tap = lab.tap()
        self.call = gateway.call(state="open")
        self._forged = 0    # the highest sequence number used up here: the tap does not see it

    def learn(self):
        """The client's Ethernet header and the highest sequence number so far."""
        sent = self.tap.gre(CLIENT[0])
        expect(sent, "the tap saw no GRE from the client")
        numbers = [p.sequence for _, p in sent if p.sequence is not None]
        return sent[-1][0], max(numbers + [self._forged])

    def send(self, payload, source=CLIENT[0]):
        ethernet, _ = self.learn()
        self.tap.send(ethernet + ipv4(source, GATEWAY[0], GRE, payload))

    def next(self, frame):
        """A GRE packet with a PPP frame that continues the client's sequence."""
        self._forged = self.learn()[1] + 1
        self.send(gre(self.call["call_id"], self._forged, frame))


def open_forged(lab, **options):
    gateway = lab.start(**options)
    client = lab.dial()
    client.up()
    forger = Forger(lab, gateway)
    client.ping(TUNNEL_GATEWAY)
    return gateway, client, forger


def still_there(gateway, client, forger):
    """The same call is open and carries traffic."""
    # Forged sequence numbers cost the client as many packets.
    client.try_run(f"ping -n -q -c 40 -i 0.02 -W 1 {TUNNEL_GATEWAY}")
    client.ping(TUNNEL_GATEWAY)
    expect(gateway.call(state="open")["id"] == forger.call["id"], "it is not the same call")


@case("forged-gre")
def forged_gre(lab):
    """Wrong peer, unknown call, wrong flags, lengths and sequence numbers."""
    gateway, client, forger = open_forged(lab)
    call_id = forger.call["call_id"]
    _, sequence = forger.learn()
    frame = b"\xff\x03\x00\xfd\x90\x00" + os.urandom(40)
    before = gateway.drops("call_unknown")
    forger.send(gre(call_id, sequence + 1, frame), source="10.99.0.77")
    forger.send(gre(call_id ^ 0x5a5a, sequence + 1, frame))
    for flags in (0x1001, 0x3000, 0xb001, 0x7001):     # no key, version 0, checksum, routing
        forger.send(gre(call_id, sequence + 1, frame, flags=flags))
    forger.send(gre(call_id, sequence + 1, frame, protocol=0x0800))
    forger.send(gre(call_id, sequence + 1, frame, length=1400))
    forger.send(gre(call_id, sequence + 1, frame)[:6])
    forger.send(gre(call_id, sequence + 1_000_000, frame))
    forger.send(gre(call_id, sequence - 1, frame))
    gateway.expect_drops("call_wrong_peer")
    gateway.expect_drops("call_unknown", before + 1)
    gateway.expect_drops("gre_flags", 4)
    gateway.expect_drops("gre_protocol")
    gateway.expect_drops("gre_length")
    gateway.expect_drops("gre_truncated")
    gateway.expect_drops("sequence_jump")
    late = gateway.drops("sequence_late") + gateway.drops("sequence_duplicate")
    expect(late >= 1, "the old sequence number was not counted")
    still_there(gateway, client, forger)


@case("forged-mppe")
def forged_mppe(lab):
    """MPPE with wrong bits, and data in clear on a call that must encrypt."""
    gateway, client, forger = open_forged(lab)
    ping = ipv4("10.77.0.10", INTERNET, 1, b"\x08\x00\xf7\xff\x00\x00\x00\x00")
    for frame, reason in ((b"\x00\xfd\x80\x00" + os.urandom(40), "mppe_not_encrypted"),
                          (b"\x00\xfd\x10\x00" + os.urandom(40), "mppe_not_flushed"),
                          (b"\x00\xfd\x90", "mppe_truncated"),
                          (b"\x00\x21" + ping, "clear_data"),
                          (b"\x00", "ppp_truncated")):
        forger.next(b"\xff\x03" + frame)
        gateway.expect_drops(reason)
    still_there(gateway, client, forger)


@case("forged-inner")
def forged_inner(lab):
    """Inner packets that lie about their length, version or checksum, on a call without MPPE."""
    gateway = lab.start(ppp__mppe="allow")
    client = lab.dial(mppe="none")
    address = client.up()
    forger = Forger(lab, gateway)
    client.ping(TUNNEL_GATEWAY)
    good = ipv4(address, INTERNET, 1, b"\x08\x00\xf7\xff\x00\x00\x00\x00")
    for packet, reason in ((good[:12], "inner_ip_truncated"),
                           (b"\x65" + good[1:], "inner_ip_version"),
                           (b"\x44" + good[1:], "inner_ip_header_len"),
                           (good[:2] + b"\x05\xdc" + good[4:], "inner_ip_total_len"),
                           (good[:10] + b"\x12\x34" + good[12:], "inner_ip_checksum"),
                           (ipv4("203.0.113.9", INTERNET, 1, good[20:]), "source_spoofed"),
                           (ipv4(address, INTERNET, 1, good[20:], ttl=1), "ttl_exceeded")):
        forger.next(b"\xff\x03\x00\x21" + packet)
        gateway.expect_drops(reason)
    still_there(gateway, client, forger)


@case("forged-control")
def forged_control(lab):
    """LCP, IPCP and CCP packets with lying lengths, in an open call."""
    gateway, client, forger = open_forged(lab)
    for protocol in (0xc021, 0x8021, 0x80fd):
        head = struct.pack(">H", protocol)
        for packet in (b"\x01",                              # half a header
                       b"\x01\x07\x05\x00",                  # length beyond the packet
                       b"\x01\x07\x00\x03",                  # length below the header
                       b"\x01\x07\x00\x08\x01\x40\x05\xdc",  # option beyond the packet
                       b"\x01\x07\x00\x08\x01\x00\x05\xdc",  # option of length 0
                       b"\x01\x07\x00\x05\x01"):             # half an option
            forger.next(b"\xff\x03" + head + packet)
            settle(0.05)
    gateway.expect_metric(9, "culvert_ppp_malformed_packets_total")
    gateway.expect_metric(9, "culvert_ppp_malformed_options_total")
    still_there(gateway, client, forger)


@case("spoofed-source")
def spoofed_source(lab):
    """A real client sends with an address that is not its own, encrypted."""
    gateway, client, forger = open_forged(lab)
    client.run("ip addr add 203.0.113.9/32 dev lo")
    status, _ = client.try_run(f"ping -n -q -c 3 -i 0.1 -W 1 -I 203.0.113.9 {TUNNEL_GATEWAY}")
    expect(status != 0, "the spoofed ping is answered")
    gateway.expect_drops("source_spoofed", 3)
    process.wait_for("the call to show the drops",
                     lambda: int(gateway.call(state="open")["drops"]) >= 3, 5)
    still_there(gateway, client, forger)


def message(message_type, body=b"", cookie=COOKIE, kind=1, length=None):
    size = 12 + len(body) if length is None else length
    return struct.pack(">HHIHH", size, kind, cookie, message_type, 0) + body


@case("bad-control-messages")
def bad_control_messages(lab):
    """Control connections that lie are closed and counted; a good one next to them goes on."""
    gateway = lab.start(clients=2)
    client = lab.dial(0)
    client.up()
    process.run(["ip", "-n", lab.network.client(1), "addr", "add", f"{CLIENT[1]}/24", "dev", "cli1"])
    start = struct.pack(">HHIIHH64s64s", 0x100, 0, 3, 3, 0, 0, b"", b"")

    def attack(data):
        """Sends data; returns what comes back until the gateway closes."""
        def body():
            with socket.create_connection((GATEWAY[1], 1723), 5) as sock:
                sock.settimeout(5)
                sock.sendall(data)
                answer = b""
                try:
                    while chunk := sock.recv(4096):
                        answer += chunk
                except ConnectionResetError:
                    pass
                return answer
        try:
            return inside(lab.network.client(1), body)
        except socket.timeout:
            return None
    attacks = {"cookie": message(1, start, cookie=0xdeadbeef),
               "length": message(1, start, length=20),
               "huge length": message(1, start, length=65535),
               "message type": message(1, start, kind=7),
               "control message type": message(99, start),
               "call before start": message(7, bytes(156)),
               "garbage": b"GET / HTTP/1.0\r\n\r\n"}
    for name, data in attacks.items():
        answer = attack(data)
        expect(answer is not None, f"bad {name}: the connection stays open")
        expect(len(answer) < 200, f"bad {name}: {len(answer)} octets of answer")
    gateway.expect_metric(len(attacks), "culvert_pptp_protocol_errors_total")
    client.ping(TUNNEL_GATEWAY)
    expect(len(gateway.calls()) == 1, "the good call is gone")
