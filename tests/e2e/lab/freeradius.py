"""FreeRADIUS of Debian as a case's own server: private configuration, own namespace and users.

It listens on the loopback of the gateway's namespace, where Culvert asks it."""
import os
import re
import subprocess

from lab import process
from lab.process import Failure

SECRET = "e2e-shared-secret"
# What users are told to include.
_DICTIONARY = os.path.join(os.path.dirname(__file__), "../../../config/dictionary.culvert")
AUTH, ACCT, COA = "127.0.0.1:1812", "127.0.0.1:1813", "127.0.0.1:3799"

_RADIUSD = """
prefix = /usr
exec_prefix = /usr
libdir = /usr/lib/freeradius
localstatedir = {dir}
logdir = {dir}
db_dir = {dir}
run_dir = {dir}
radacctdir = {dir}
pidfile = {dir}/radiusd.pid
max_request_time = 10
cleanup_delay = 2
security {{
  reject_delay = 0
  status_server = yes
}}
client gateway {{
  ipaddr = 127.0.0.0/8
  secret = {secret}
  require_message_authenticator = yes
}}
modules {{
  pap {{
  }}
  chap {{
  }}
  mschap {{
    use_mppe = yes
  }}
  files {{
    filename = {dir}/users
  }}
  detail {{
    filename = {dir}/accounting
  }}
  eap {{
    default_eap_type = md5
    md5 {{
    }}
    mschapv2 {{
    }}
    tls-config common {{
      private_key_file = {dir}/server.key
      certificate_file = {dir}/server.pem
      ca_file = {dir}/ca.pem
      tls_max_version = "1.2"
    }}
    tls {{
      tls = common
    }}
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = 1812
  }}
  listen {{
    type = acct
    ipaddr = 127.0.0.1
    port = 1813
  }}
  authorize {{
    files
    chap
    mschap
    eap
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
    Auth-Type CHAP {{
      chap
    }}
    Auth-Type MS-CHAP {{
      mschap
    }}
    eap
  }}
  accounting {{
    detail
  }}
}}
"""


class FreeRadius:
    """FreeRadius: one server with its users; `start` and `stop` may come again and again."""

    def __init__(self, network, directory, users, tls=False):
        self.network = network
        self.directory = os.path.join(directory, "freeradius")
        self.log = os.path.join(directory, "freeradius.log")
        self._process = None
        os.mkdir(self.directory)
        self._write("radiusd.conf", _RADIUSD.format(dir=self.directory, secret=SECRET))
        with open(_DICTIONARY, encoding="utf-8") as file:
            self._write("dictionary", file.read())
        self._write("users", users)
        self._make_certificates(tls)

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        self._process = process.start(
            ["ip", "netns", "exec", self.network.gateway, "freeradius", "-f", "-xx", "-l", "stdout",
             "-n", "radiusd", "-d", self.directory], self.log)
        began = os.path.getsize(self.log)

        def ready():
            if self._process.poll() is not None:
                raise Failure("freeradius ended at once: "
                              + " / ".join(process.tail(self.log, 3).splitlines()))
            return "Ready to process requests" in self.text()[began:]
        process.wait_for("freeradius to be ready", ready, 20)
        return self

    def stop(self):
        if self._process:
            process.stop(self._process)
            self._process = None

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def accounting(self, **wanted):
        """The accounting records with these attributes (Acct_Status_Type="Stop"), in order."""
        try:
            with open(self.path("accounting"), encoding="utf-8", errors="replace") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        records = []
        for block in text.split("\n\n"):
            pairs = re.findall(r'^\t(\S+) = "?(.*?)"?$', block, re.M)
            if pairs:
                records.append(dict(pairs))
        return [r for r in records
                if all(r.get(name.replace("_", "-")) == value for name, value in wanted.items())]

    def wait_accounting(self, seconds=15, count=1, **wanted):
        """Waits for so many such records; returns them."""
        def there():
            found = self.accounting(**wanted)
            return found if len(found) >= count else None
        return process.wait_for(f"accounting with {wanted}", there, seconds, 0.1)

    def send(self, kind, attributes, secret=SECRET, port=COA):
        """radclient: a CoA-Request ("coa") or Disconnect-Request ("disconnect"); returns the code
        of the answer, its attributes as radclient shows them. ("none", "") without one."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.network.gateway, "radclient", "-x", "-d",
             self.directory, "-r", "1", "-t", "3", port, kind, secret], input="\n".join(attributes) + "\n", capture_output=True,
            text=True, timeout=20, check=False)
        answer = re.search(r"Received (\S+) Id .*?\n(.*)", done.stdout, re.S)
        return (answer[1], answer[2]) if answer else ("none", done.stdout + done.stderr)

    def _write(self, name, text):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def _make_certificates(self, tls):
        """A CA and certificates of the server, and of alice when `tls`; for this run only."""
        def openssl(*argv):
            process.run(["openssl", *argv], timeout=60)

        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-x509", *new_key, "-keyout", self.path("ca.key"), "-out",
                self.path("ca.pem"), "-days", "2", "-subj", "/CN=Culvert test CA")
        usage = {"server": "serverAuth", "alice": "clientAuth"}
        for name in ("server", "alice") if tls else ("server",):
            openssl("req", *new_key, "-keyout", self.path(f"{name}.key"), "-out",
                    self.path(f"{name}.csr"), "-subj", f"/CN={name}")
            self._write(f"{name}.ext", f"extendedKeyUsage = {usage[name]}\n")
            openssl("x509", "-req", "-in", self.path(f"{name}.csr"), "-CA", self.path("ca.pem"),
                    "-CAkey", self.path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile",
                    self.path(f"{name}.ext"), "-out", self.path(f"{name}.pem"))
