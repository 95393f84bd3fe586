"""What flows through an open call: pings of all sizes, files, streams, client to client."""
import json
import time

from lab import process
from lab.case import case, expect
from lab.network import INTERNET, TUNNEL_GATEWAY
from lab.transfer import FileServer, get_command, make_file, put_command

FILE_SIZE = 20 * 1000 * 1000


def open_call(lab, mppe="128", options=(), **overrides):
    """A gateway with one open call whose route leads to the internet."""
    gateway = lab.start(**overrides)
    client = lab.dial(mppe=mppe, options=options)
    client.up()
    client.route(f"{INTERNET}/32")
    # The first packet to a neighbour is lost while the kernel resolves its address.
    client.try_run(f"ping -n -q -c 1 -W 1 {INTERNET}; ping -n -q -c 1 -W 1 {INTERNET}")
    return gateway, client


def transfer(lab, gateway, client, size):
    """A file each way, digests compared at both ends, octets found in the counters."""
    path = lab.path("file")
    digest = make_file(path, size)
    server = FileServer(lab.network.internet, path)
    lab.on_close(server.close)
    got = client.run(get_command(INTERNET), 90)
    expect(got == digest, f"downstream: SHA-256 {got}, not {digest}")
    client.run(put_command(INTERNET, path), 90)
    expect(server.received() == digest, f"upstream: SHA-256 is not {digest}")

    def counted():
        call = gateway.call(state="open")
        return int(call["upstream_octets"]) > size and int(call["downstream_octets"]) > size
    process.wait_for("the call's counters to show the file", counted, 5)


@case("ping-sizes")
def ping_sizes(lab):
    """Every size from 0 to 1400 in steps, to the gateway and to a host behind it."""
    gateway, client = open_call(lab)
    time.sleep(1.2)     # a round of counters
    before = int(gateway.call(state="open")["drops"])
    for host in (TUNNEL_GATEWAY, INTERNET):
        client.run(f"for n in $(seq 0 50 1400) 1 7 8 9; do "
                   f"ping -n -q -c 1 -W 3 -s $n {host} >/dev/null || exit 1; done", 60)
    time.sleep(1.2)
    dropped = int(gateway.call(state="open")["drops"]) - before
    expect(dropped == 0, f"the call shows {dropped} drops")


@case("ping-from-internet")
def ping_from_internet(lab):
    gateway = lab.start()
    client = lab.dial()
    address = client.up()
    client.route(f"{INTERNET}/32")
    out = lab.network.exec(lab.network.internet, "ping", "-n", "-q", "-c", "5", "-i", "0.1",
                           "-W", "3", address).stdout
    expect("5 received" in out, f"ping to the client: {out}")
    expect("DUP" not in out and "duplicates" not in out, "the kernel answered as well")
    # An address of the pool that no call has.
    gone = lab.network.exec(lab.network.internet, "ping", "-n", "-q", "-c", "2", "-i", "0.1",
                            "-W", "1", "10.77.0.249", check=False)
    expect(gone.returncode != 0, "an address without a call answers")
    gateway.expect_drops("no_client")


@case("file-20mb", limit=150)
def file_20mb(lab):
    gateway, client = open_call(lab)
    transfer(lab, gateway, client, FILE_SIZE)


@case("file-20mb-two-workers", limit=150)
def file_two_workers(lab):
    """Packets that arrive at the wrong worker are handed over, in order."""
    gateway, client = open_call(lab, workers=2)
    transfer(lab, gateway, client, FILE_SIZE)
    # Flows of many ports reach both queues of the core port; the call has one worker.
    lab.start_in(lab.network.internet, "iperf3", "-s", "-B", INTERNET)
    client.run(f"iperf3 -t 1 -P 8 -R -c {INTERNET}")
    gateway.expect_metric(1, "culvert_dataplane_handed_over_total")


@case("iperf3")
def iperf3(lab):
    gateway, client = open_call(lab)
    server = lab.start_in(lab.network.internet, "iperf3", "-s", "-B", INTERNET)
    rates = []
    for reverse in ("", "-R"):
        report = json.loads(client.run(f"iperf3 -J -t 2 -c {INTERNET} {reverse}"))
        rates.append(report["end"]["sum_received"]["bits_per_second"] / 1e6)
    expect(min(rates) > 1, f"iperf3 up and down: {rates} Mbit/s")
    expect(server.poll() is None, "iperf3's server ended")
    gateway.expect_metric(1000, "culvert_dataplane_transmitted_packets_total")


@case("two-clients")
def two_clients(lab):
    """Two calls at once, of two users, on two ports; their traffic meets in the data plane."""
    gateway = lab.start(clients=2)
    clients = [lab.dial(0), lab.dial(1, user="bob", password="other secret")]
    addresses = [client.up() for client in clients]
    expect(addresses[0] != addresses[1], f"both have {addresses[0]}")
    for client, other in zip(clients, reversed(addresses)):
        client.route(f"{other}/32")
    for client, other in zip(clients, reversed(addresses)):
        client.ping(other, 5)
    users = {call["user"]: call["client_address"] for call in gateway.calls()}
    expect(users == {"alice": addresses[0], "bob": addresses[1]}, f"culvertctl shows {users}")
    clients[0].hang_up()
    gateway.wait_calls(1)
    clients[1].ping(TUNNEL_GATEWAY)
