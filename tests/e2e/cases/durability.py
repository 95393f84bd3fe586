"""What calls used is told once, whatever dies: the process, the disk, the server."""
import errno
import os
import time

from cases.radius import accounted, log_in, with_radius
from lab.case import case, expect, process
from lab.network import TUNNEL_GATEWAY


def only_two_records(server, call):
    """The kinds of all records of a call that the server ever got: a Start and a Stop, in order."""
    kinds = [record["Acct-Status-Type"]
             for record in server.accounting(Acct_Session_Id=call["id"])]
    expect(kinds == ["Start", "Stop"], f"the server got {kinds}")


def wait_pppd(client):
    process.wait_for("pppd to end", lambda: "]: Exit." in client.text(), 30, 0.2)


def restart(gateway):
    gateway.launch("controlplane")
    process.wait_for("the control plane to answer",
                     lambda: gateway.try_ctl("calls").returncode == 0, 20, 0.2)


@case("accounting-killed", limit=150)
def accounting_killed(lab):
    """kill -9 with a call up and the server away: the next process ends the call's account."""
    gateway, server = with_radius(lab, auth__methods=["mschap-v2"])
    client, call = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    server.wait_accounting(Acct_Status_Type="Start", Acct_Session_Id=call["id"])
    server.stop()
    killed = gateway.processes.pop("controlplane")
    killed.kill()
    killed.wait()
    wait_pppd(client)
    restart(gateway)
    expect(not gateway.calls(), "the call is there after its process was killed")
    server.start()
    _, stop = accounted(server, "alice", call)
    expect(stop["Acct-Terminate-Cause"] == "NAS-Reboot", stop["Acct-Terminate-Cause"])
    expect(stop["Class"] == "0x676f6c64", "the Stop has lost its Class")
    server.wait_accounting(count=2, Acct_Status_Type="Accounting-On")
    client, again = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    expect(client.hang_up() == 0, "the client did not end well")
    accounted(server, "alice", again)
    for ended in (call, again):
        only_two_records(server, ended)


@case("accounting-sigterm", limit=150)
def accounting_sigterm(lab):
    """SIGTERM with a call up and the server away: the Stop waits on disk for the next start."""
    gateway, server = with_radius(lab, auth__methods=["mschap-v2"])
    client, call = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    server.wait_accounting(Acct_Status_Type="Start", Acct_Session_Id=call["id"])
    server.stop()
    status, took = process.stop(gateway.processes.pop("controlplane"))
    expect(status == 0, f"the control plane ended with status {status} after {took:.1f} s")
    wait_pppd(client)
    server.start()
    restart(gateway)
    _, stop = accounted(server, "alice", call)
    expect(stop["Acct-Terminate-Cause"] in ("Admin-Reboot", "NAS-Reboot"),
           stop["Acct-Terminate-Cause"])
    only_two_records(server, call)


def fill(path):
    """Writes a file until its disk is full."""
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            expect(error.errno == errno.ENOSPC, str(error))


@case("accounting-disk-full", limit=150)
def accounting_disk_full(lab):
    """A disk that is full: calls come, work and go, the alert is raised, no record is lost."""
    disk = lab.path("disk")
    os.mkdir(disk)
    process.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk])
    lab.on_close(lambda: process.run(["umount", "-l", disk]))
    gateway, server = with_radius(lab, auth__methods=["mschap-v2"],
                                  spool=os.path.join(disk, "spool.sqlite"))
    fill(os.path.join(disk, "filler"))
    client, call = log_in(lab, gateway, "alice", "10.77.0.204", "mschap-v2", mppe="128")
    gateway.expect_metric(1, "culvert_accounting_spool_failing")
    gateway.expect_metric(1, "culvert_accounting_waiting_records")
    expect("No space left" in gateway.log("controlplane")
           or "disk is full" in gateway.log("controlplane"), "the log does not say why")
    client.ping(TUNNEL_GATEWAY)
    time.sleep(1.1)     # so that the session's time is not 0
    expect(client.hang_up() == 0, "the client did not end well")
    gateway.wait_calls(0)
    os.unlink(os.path.join(disk, "filler"))
    _, stop = accounted(server, "alice", call)
    expect(stop["Acct-Terminate-Cause"] == "User-Request", stop["Acct-Terminate-Cause"])
    expect(int(stop["Acct-Session-Time"]) >= 1, "the session's time is lost")
    only_two_records(server, call)
    expect(gateway.metric("culvert_accounting_lost_total") == 0, "a record was lost")
    process.wait_for("the alert to end",
                     lambda: not gateway.metric("culvert_accounting_spool_failing"), 5, 0.3)
