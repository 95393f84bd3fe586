// Checks across keys: one test for each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/config/load.h"

namespace culvert::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (const Problem& problem : LoadText(text, "f", Process::kControlplane).problems) {
    lines.push_back(Format(problem));
  }
  return lines;
}

std::string Port(const std::string& name, const std::string& device, const std::string& more = "") {
  return "[[dataplane.ports]]\nname = \"" + name + "\"\ndevice = \"" + device + "\"\n" + more;
}

TEST(Check, PortNamesDevicesAndAddressesDiffer) {
  EXPECT_THAT(Lines(Port("a", "x", "addresses = [\"192.0.2.1/24\"]\n") +
                    Port("a", "x", "addresses = [\"192.0.2.1/25\"]\n") + Port("culvert0", "y")),
              ElementsAre("f:6: dataplane.ports[1].name: a is in dataplane.ports[0].name already",
                          "f:7: dataplane.ports[1].device: x is in dataplane.ports[0].device "
                          "already",
                          "f:8: dataplane.ports[1].addresses[0]: 192.0.2.1 is in "
                          "dataplane.ports[0].addresses[0] already",
                          "f:10: dataplane.ports[2].name: culvert0 is in "
                          "dataplane.clients.interface already"));
}

std::string Vlan(const std::string& name, const std::string& parent, const std::string& more) {
  return "[[dataplane.ports]]\nname = \"" + name + "\"\nparent = \"" + parent + "\"\n" + more;
}

TEST(Check, AVlanHasAParentAndWhatTheParentLeaves) {
  EXPECT_THAT(Lines(Vlan("b", "a", "vlan = 100\nmtu = 1400\n") + Port("a", "x") +
                    Vlan("c", "a", "vlan = 101\naddresses = [\"192.0.2.1/24\"]\n")),
              IsEmpty());
  EXPECT_THAT(
      Lines(Port("a", "x") + Vlan("b", "a",
                                  "vlan = 7\ndevice = \"y\"\nmac = \"02:00:00:00:00:01\"\n"
                                  "offload = \"off\"\nmtu = 1600\n")),
      ElementsAre(
          "f:8: dataplane.ports[1].device: a VLAN has its parent's: take one of the two away",
          "f:9: dataplane.ports[1].mac: a VLAN has its parent's: set it there",
          "f:10: dataplane.ports[1].offload: a VLAN has its parent's: set it there",
          "f:11: dataplane.ports[1].mtu: 1600 is above its parent's, 1500"));
  EXPECT_THAT(Lines(Port("a", "x") + Vlan("b", "a", "vlan = 7\n") + Vlan("c", "a", "vlan = 7\n")),
              ElementsAre("f:11: dataplane.ports[2].vlan: 7 on a is in dataplane.ports[1].vlan "
                          "already"));
}

TEST(Check, AVlanNeedsAParentThatIsNone) {
  EXPECT_THAT(Lines(Port("a", "x", "vlan = 7\n")),
              ElementsAre("f:4: dataplane.ports[0].vlan: needs parent = the name of the port that "
                          "carries it"));
  EXPECT_THAT(Lines(Port("a", "x") + Vlan("b", "z", "vlan = 7\n")),
              ElementsAre("f:6: dataplane.ports[1].parent: no port has the name \"z\""));
  EXPECT_THAT(Lines(Port("a", "x") + Vlan("b", "a", "")),
              ElementsAre("f:6: dataplane.ports[1].parent: a sub-port needs vlan = 1 to 4094"));
  EXPECT_THAT(Lines(Vlan("b", "b", "vlan = 7\n")),
              ElementsAre("f:3: dataplane.ports[0].parent: \"b\" is a VLAN itself; two tags "
                          "(802.1ad, QinQ) are not supported"));
  EXPECT_THAT(
      Lines(Port("a", "x") + Vlan("b", "a", "vlan = 4095\n")),
      ElementsAre("f:7: dataplane.ports[1].vlan: 4095 is out of range: 1 to 4094 are allowed"));
}

TEST(Check, WorkerCoresDiffer) {
  EXPECT_THAT(Lines("[dataplane]\nworker_cores = [1, 2,\n  1]\n"),
              ElementsAre("f:3: dataplane.worker_cores[2]: core 1 has a worker already"));
}

TEST(Check, FragmentsLeaveBuffers) {
  EXPECT_THAT(Lines("[dataplane]\nmbufs = 4096\nreassembly_fragments = 1025\n"
                    "worker_cores = [1, 2]\n"),
              ElementsAre("f:3: dataplane.reassembly_fragments: the fragments that 2 workers may "
                          "hold (4096) are more than half of mbufs (4096)"));
  EXPECT_THAT(Lines("[dataplane]\nmbufs = 4096\nreassembly_fragments = 1024\n"
                    "worker_cores = [1, 2]\n"),
              IsEmpty());
}

TEST(Check, APollingWorkerNeedsItsCoreForItself) {
  EXPECT_THAT(Lines("[dataplane]\nmain_core = 1\n"),
              ElementsAre("f:2: dataplane.main_core: core 1 is main_core too, and a polling worker "
                          "leaves nothing of it: take another core, or set idle = \"sleep\""));
  EXPECT_THAT(Lines("[dataplane]\nmain_core = 1\nidle = \"sleep\"\n"), IsEmpty());
}

TEST(Check, RatesAreOfAListenerAndFitAPacket) {
  EXPECT_THAT(Lines("[pptp]\nlisten = [\"192.0.2.1:1723\"]\n"
                    "rates = [\n{listen = \"192.0.2.1:1723\", upstream_kbps = 7},\n"
                    "{listen = \"192.0.2.2:1723\"},\n"
                    "{listen = \"192.0.2.1:1723\", downstream_kbps = 8},\n"
                    "{downstream_kbps = 0}]\n"),
              testing::UnorderedElementsAre(
                  "f:4: pptp.rates[0].upstream_kbps: 7 is out of range: 0 (no limit), or 8 to "
                  "1000000000 are allowed",
                  "f:5: pptp.rates[1].listen: 192.0.2.2:1723 is none of pptp.listen",
                  "f:6: pptp.rates[2].listen: pptp.rates[0] has these rates for the same listener "
                  "already"));
}

TEST(Check, MruFitsAPort) {
  EXPECT_THAT(Lines("[ppp]\nmru = 1500\n" + Port("a", "x")),
              ElementsAre("f:2: ppp.mru: 1500 and the 44 octets that PPTP adds do not fit any port "
                          "(largest mtu: 1500): at most 1456 is allowed"));
  EXPECT_THAT(Lines("[ppp]\nmru = 1456\n" + Port("a", "x")), IsEmpty());
  EXPECT_THAT(Lines("[ppp]\nmru = 1500\n" + Port("a", "x", "mtu = 1544\n") + Port("b", "y")),
              IsEmpty());
}

TEST(Check, SocketsAndEndpointsDiffer) {
  EXPECT_THAT(Lines("[dataplane]\nsocket = \"/run/a\"\n[management]\nsocket = \"/run/a\"\n"
                    "[pptp]\nlisten = [\"192.0.2.1:1723\", \"192.0.2.1:1723\"]\n"
                    "[metrics]\nlisten = \"192.0.2.1:1723\"\n"),
              ElementsAre("f:4: management.socket: /run/a is in dataplane.socket already",
                          "f:6: pptp.listen[1]: 192.0.2.1:1723 is in pptp.listen[0] already",
                          "f:8: metrics.listen: 192.0.2.1:1723 is in pptp.listen[0] already"));
}

TEST(Check, SomeFileHasUsers) {
  EXPECT_THAT(Lines("[auth]\nusers_file = \"\"\n"),
              ElementsAre("f:2: auth.users_file: no users: set users_file or chap_secrets_file"));
}

TEST(Check, MethodsDiffer) {
  EXPECT_THAT(Lines("[auth]\nmethods = [\"pap\", \"mschap\", \"pap\"]\n"),
              ElementsAre("f:2: auth.methods[2]: pap is in auth.methods[0] already"));
  EXPECT_THAT(Lines("[auth]\neap_methods = [\"md5\", \"md5\"]\n"),
              ElementsAre("f:2: auth.eap_methods[1]: md5 is in auth.eap_methods[0] already"));
  EXPECT_THAT(Lines("[auth]\nretries = 11\n"),
              ElementsAre("f:2: auth.retries: 11 is out of range: 0 to 10 are allowed"));
}

TEST(Check, MppeBits) {
  EXPECT_THAT(Lines("[ppp]\nmppe_bits = [128, 64, 128]\n"),
              ElementsAre("f:2: ppp.mppe_bits[2]: 128 is in ppp.mppe_bits[0] already",
                          "f:2: ppp.mppe_bits[1]: 64 is not one of: 40, 56, 128"));
  EXPECT_THAT(Lines("[ppp]\nmppe_bits = []\n"),
              ElementsAre("f:2: ppp.mppe_bits: at least one of 40, 56, 128 is needed when mppe = "
                          "\"allow\""));
  EXPECT_THAT(Lines("[ppp]\nmppe_bits = []\nmppe = \"deny\"\n"), IsEmpty());
}

TEST(Check, RequiredMppeNeedsAMethodThatGivesKeys) {
  EXPECT_THAT(Lines("[ppp]\nmppe = \"require\"\n[auth]\nmethods = [\"chap-md5\", \"pap\"]\n"),
              ElementsAre("f:2: ppp.mppe: \"require\" cannot be met: none of auth.methods "
                          "(chap-md5, pap) gives keys for MPPE; allow mschap-v2, mschap or eap"));
  EXPECT_THAT(Lines("[ppp]\nmppe = \"require\"\n[auth]\nmethods = [\"pap\", \"mschap\"]\n"),
              IsEmpty());
  EXPECT_THAT(Lines("[ppp]\nmppe = \"require\"\n[auth]\nmethods = [\"eap\"]\n"), IsEmpty());
}

TEST(Check, PoolsHaveTheirOwnNames) {
  EXPECT_THAT(Lines("[[pools]]\nname = \"a\"\nranges = [\"10.77.1.0/24\"]\n"
                    "[[pools]]\nname = \"a\"\nranges = [\"10.77.2.0/24\"]\n"),
              ElementsAre("f:5: pools[1].name: a is in pools[0].name already"));
}

TEST(Check, PoolsDoNotOverlap) {
  EXPECT_THAT(
      Lines("[[pools]]\nname = \"a\"\nranges = [\"10.77.1.0/24\", \"10.77.1.9-10.77.1.10\"]\n"
            "[[pools]]\nname = \"b\"\nranges = [\"10.77.0.200-10.77.1.0\"]\n"),
      ElementsAre("f:3: pools[0].ranges[1]: 10.77.1.9-10.77.1.10 overlaps pools[0].ranges[0] "
                  "(10.77.1.0/24)",
                  "f:6: pools[1].ranges[0]: 10.77.0.200-10.77.1.0 overlaps pools[0].ranges[0] "
                  "(10.77.1.0/24)"));
  EXPECT_THAT(Lines("[[pools]]\nname = \"a\"\nranges = [\"10.77.1.0/24\", \"10.77.2.0/24\"]\n"),
              IsEmpty());
}

TEST(Check, PoolsHoldNoAddressOfOurs) {
  EXPECT_THAT(Lines("[ppp]\ngateway_address = \"10.77.0.10\"\n"),
              ElementsAre("f:2: ppp.gateway_address: 10.77.0.10-10.77.255.254 holds 10.77.0.10, "
                          "our own address (ppp.gateway_address): leave it out"));
  EXPECT_THAT(Lines("[[pools]]\nname = \"a\"\nranges = [\"10.77.0.0/24\"]\n"),
              ElementsAre("f:3: pools[0].ranges[0]: 10.77.0.0/24 holds 10.77.0.1, our own address "
                          "(ppp.gateway_address): leave it out"));
  EXPECT_THAT(Lines(Port("a", "x", "addresses = [\"10.77.9.9/24\"]\n")),
              ElementsAre("f:4: dataplane.ports[0].addresses[0]: 10.77.0.10-10.77.255.254 holds "
                          "10.77.9.9, our own address (dataplane.ports[0].addresses[0]): leave it "
                          "out"));
}

TEST(Check, PoolsAreRouted) {
  EXPECT_THAT(Lines("[[pools]]\nname = \"a\"\nranges = [\"192.0.2.0/24\"]\n"),
              ElementsAre("f:3: pools[0].ranges[0]: 192.0.2.0/24 is not covered by "
                          "dataplane.clients.routes (10.77.0.0/16), so nothing could reach these "
                          "clients: add the prefix there, or set routes = [] when another program "
                          "makes the routes"));
  EXPECT_THAT(Lines("[dataplane.clients]\nroutes = [\"192.0.2.128/25\", \"192.0.2.0/25\"]\n"
                    "[[pools]]\nname = \"a\"\nranges = [\"192.0.2.0/24\"]\n"),
              IsEmpty());
  EXPECT_THAT(Lines("[dataplane.clients]\nroutes = []\n"
                    "[[pools]]\nname = \"a\"\nranges = [\"192.0.2.0/24\"]\n"),
              IsEmpty());
}

TEST(Check, PoolsLeadToPools) {
  EXPECT_THAT(
      Lines("[[pools]]\nname = \"a\"\nnext = \"b\"\nranges = [\"10.77.1.0/24\"]\n"
            "[[pools]]\nname = \"b\"\nnext = \"a\"\nranges = [\"10.77.2.0/24\"]\n"
            "[[pools]]\nname = \"c\"\nnext = \"d\"\nranges = [\"10.77.3.0/24\"]\n"
            "[[pools]]\nname = \"e\"\nnext = \"a\"\nranges = [\"10.77.4.0/24\"]\n"
            "[[pptp.pools]]\npool = \"a\"\n[[pptp.pools]]\npool = \"x\"\n"
            "[[pptp.pools]]\nlisten = \"192.0.2.1:1723\"\npool = \"b\"\n"),
      ElementsAre(
          "f:3: pools[0].next: leads back to \"a\" itself",
          "f:7: pools[1].next: leads back to \"b\" itself",
          "f:11: pools[2].next: there is no pool named \"d\"",
          "f:19: pptp.pools[1].listen: pptp.pools[0] has a pool for the same listener already",
          "f:20: pptp.pools[1].pool: there is no pool named \"x\"",
          "f:22: pptp.pools[2].listen: 192.0.2.1:1723 is none of pptp.listen"));
}

TEST(Check, PoolsAreUnicast) {
  EXPECT_THAT(Lines("[dataplane.clients]\nroutes = []\n"
                    "[[pools]]\nname = \"a\"\nranges = [\"224.0.0.0/24\"]\n"),
              ElementsAre("f:5: pools[0].ranges[0]: 224.0.0.0/24 holds addresses that no host can "
                          "have: unicast addresses are allowed, 1.0.0.0-223.255.255.255 without "
                          "127.0.0.0/8"));
}

TEST(Check, ABadValueIsReportedOnce) {
  // The gateway's own error must not bring others about the default in its place.
  EXPECT_THAT(Lines("[ppp]\nmppe = \"require\"\n[auth]\nmethods = [\"pup\"]\n"),
              ElementsAre("f:4: auth.methods[0]: \"pup\" is not one of: pap, chap-md5, mschap, "
                          "mschap-v2, eap"));
}

std::string RadiusServer(const std::string& name, const std::string& more) {
  return "[[radius.servers]]\nname = \"" + name + "\"\naddress = \"192.0.2.20\"\n" + more;
}

TEST(Check, RadiusServersHaveOneSecretEach) {
  EXPECT_THAT(
      Lines(RadiusServer("a", "secret = \"x\"\n") + RadiusServer("b", "secret_file = \"/x\"\n") +
            RadiusServer("c", "secret_file = \"/x\"\nsecret = \"y\"\n") + RadiusServer("a", "")),
      ElementsAre("f:13: radius.servers[2].secret: two secrets: take secret or secret_file "
                  "away",
                  "f:14: radius.servers[3].secret: no secret: set secret_file or secret",
                  "f:15: radius.servers[3].name: a is in radius.servers[0].name already"));
}

TEST(Check, ARadiusSecretIsNeverShown) {
  EXPECT_THAT(Lines(RadiusServer("a", "secret = \"hush\\n\"\n")),
              ElementsAre("f:4: radius.servers[0].secret: the value holds a control character: use "
                          "printable text"));
}

TEST(Check, TheRadiusBackendNeedsAServer) {
  EXPECT_THAT(Lines("[auth]\nbackends = [\"radius\"]\nusers_file = \"\"\n" +
                    RadiusServer("a", "secret = \"x\"\nauth_port = 0\n")),
              ElementsAre("f:2: auth.backends: \"radius\" has nobody to ask: name one of "
                          "[[radius.servers]], with an auth_port such as 1812"));
  EXPECT_THAT(Lines("[auth]\nbackends = [\"radius\"]\nusers_file = \"\"\n" +
                    RadiusServer("a", "secret = \"x\"\n")),
              IsEmpty());
}

TEST(Check, RadiusAddresses) {
  EXPECT_THAT(Lines("[radius]\nsource_addresses = [\"192.0.2.1\", \"192.0.2.2\"]\n"),
              ElementsAre("f:2: radius.source_addresses[1]: 192.0.2.2 is the second of its family: "
                          "one IPv4 and one IPv6 address are allowed"));
  EXPECT_THAT(Lines("[radius]\nsource_addresses = [\"192.0.2.1\", \"2001:db8::1\"]\n"
                    "nas_address = \"2001:db8::1\"\n"),
              IsEmpty());
  EXPECT_THAT(Lines("[radius]\nnas_address = \"nas\"\n"),
              ElementsAre("f:2: radius.nas_address: \"nas\" is not an IP address such as 192.0.2.1 "
                          "or 2001:db8::1"));
}

std::string DynamicClient(const std::string& address, const std::string& more) {
  return "[[radius.dynamic.clients]]\naddress = \"" + address + "\"\n" + more;
}

TEST(Check, DynamicClientsHaveAnAddressAndOneSecretEach) {
  EXPECT_THAT(Lines(DynamicClient("192.0.2.0/24", "secret = \"x\"\n") +
                    DynamicClient("2001:db8::/32", "secret_file = \"/x\"\n")),
              IsEmpty());
  EXPECT_THAT(
      Lines(DynamicClient("radius.example", "secret = \"x\"\n") + DynamicClient("192.0.2.1", "") +
            DynamicClient("192.0.2.1", "secret = \"x\"\nsecret_file = \"/x\"\n")),
      ElementsAre("f:2: radius.dynamic.clients[0].address: \"radius.example\" is neither an "
                  "address such as 192.0.2.1 or 2001:db8::1 nor a prefix such as "
                  "192.0.2.0/24",
                  "f:4: radius.dynamic.clients[1].secret: no secret: set secret_file or secret",
                  "f:7: radius.dynamic.clients[2].address: 192.0.2.1 is in "
                  "radius.dynamic.clients[1].address already",
                  "f:8: radius.dynamic.clients[2].secret: two secrets: take secret or "
                  "secret_file away"));
}

TEST(Check, ChangesNeedSomebodyWhoMayAsk) {
  EXPECT_THAT(Lines("[radius.dynamic]\nlisten = [\"192.0.2.1\"]\n"),
              ElementsAre("f:2: radius.dynamic.listen: nobody may ask: name "
                          "[[radius.dynamic.clients]]"));
}

}  // namespace
}  // namespace culvert::config
