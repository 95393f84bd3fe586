#include "proto/config/load.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "proto/config/defaults.h"

namespace culvert::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Lines formats all problems of a file "f" for a process that needs no ports.
std::vector<std::string> Lines(const std::string& text, Process process = Process::kControlplane) {
  std::vector<std::string> lines;
  for (const Problem& problem : LoadText(text, "f", process).problems) {
    lines.push_back(Format(problem));
  }
  return lines;
}

constexpr char kPort[] = "[[dataplane.ports]]\nname = \"wan0\"\ndevice = \"0000:01:00.0\"\n";

TEST(Load, DefaultsAreCleanAndComplete) {
  const Loaded loaded = Load("", Process::kControlplane);
  EXPECT_THAT(loaded.problems, IsEmpty());
  const v1::Config& config = loaded.config;
  EXPECT_EQ(config.log().level(), "info");
  EXPECT_EQ(config.dataplane().idle(), "poll");
  EXPECT_THAT(config.dataplane().worker_cores(), ElementsAre(1));
  EXPECT_EQ(config.dataplane().clients().interface(), "culvert0");
  EXPECT_THAT(config.pptp().listen(), ElementsAre("0.0.0.0:1723"));
  EXPECT_EQ(config.ppp().mru(), 1400u);
  EXPECT_THAT(config.ppp().mppe_bits(), ElementsAre(128, 56, 40));
  EXPECT_THAT(config.auth().methods(), ElementsAre("mschap-v2"));
  EXPECT_THAT(config.auth().eap_methods(), ElementsAre("mschapv2", "md5"));
  ASSERT_EQ(config.pools_size(), 1);
  EXPECT_EQ(config.metrics().listen(), "127.0.0.1:9723");
}

void ExpectDocumented(const google::protobuf::Descriptor& message) {
  for (int i = 0; i < message.field_count(); ++i) {
    const auto* field = message.field(i);
    if (field->message_type() != nullptr) {
      ExpectDocumented(*field->message_type());
    } else {
      EXPECT_NE(kDefaults.find(field->name() + " = "), std::string_view::npos)
          << field->full_name();
    }
  }
}

// defaults.toml is the documentation of every key.
TEST(Load, DefaultsNameEveryKey) { ExpectDocumented(*v1::Config::descriptor()); }

TEST(Load, OnlyTheDataplaneNeedsPorts) {
  EXPECT_THAT(Lines("", Process::kControlplane), IsEmpty());
  EXPECT_THAT(Lines("", Process::kDataplane),
              ElementsAre("f: dataplane.ports: at least one is needed: add a table "
                          "[[dataplane.ports]]"));
  EXPECT_THAT(Lines(kPort, Process::kDataplane), IsEmpty());
}

TEST(Load, ArraysOfTheFileReplaceTheDefaults) {
  const Loaded loaded = LoadText(
      "[dataplane]\nworker_cores = [2, 3]\n[dataplane.clients]\nroutes = []\n"
      "[[pools]]\nname = \"a\"\nranges = [\"192.0.2.0/28\", \"198.51.100.1-198.51.100.9\"]\n",
      "f", Process::kControlplane);
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.config.dataplane().worker_cores(), ElementsAre(2, 3));
  EXPECT_EQ(loaded.config.dataplane().main_core(), 0u);
  ASSERT_EQ(loaded.config.pools_size(), 1);
  EXPECT_EQ(loaded.config.pools(0).name(), "a");
  EXPECT_EQ(loaded.config.pools(0).ranges_size(), 2);
}

TEST(Load, AnOptionalFieldHasPresence) {
  EXPECT_FALSE(LoadText(kPort, "f", Process::kDataplane).config.dataplane().ports(0).has_mtu());
  const Loaded loaded = LoadText(std::string(kPort) + "mtu = 9000\n", "f", Process::kDataplane);
  EXPECT_EQ(loaded.config.dataplane().ports(0).mtu(), 9000u);
}

TEST(Load, UnknownKeyNamesTheNearestOrAll) {
  EXPECT_THAT(Lines("[ppp]\nmruu = 1400\n"),
              ElementsAre("f:2: ppp.mruu: unknown key; did you mean \"mru\"?"));
  EXPECT_THAT(Lines("[ppp]\nrestart_timer = 1\n"),
              ElementsAre("f:2: ppp.restart_timer: unknown key; did you mean "
                          "\"restart_timer_ms\"?"));
  EXPECT_THAT(Lines("[log]\ncolour_of_output = 1\n"),
              ElementsAre("f:2: log.colour_of_output: unknown key; known here: level"));
  EXPECT_THAT(Lines("[pptpd]\n"), ElementsAre("f:1: pptpd: unknown key; did you mean \"pptp\"?"));
}

TEST(Load, WrongTypeSaysBoth) {
  EXPECT_THAT(
      Lines("log = 3\n[ppp]\nmru = \"1400\"\ndns = \"192.0.2.1\"\nmppe = true\nmtu = 1.5\n"
            "[pptp]\nlisten = [1]\n[auth]\nserver_name = 1979-05-27\n[pools]\nname = \"a\"\n"),
      ElementsAre("f:1: log: must be a table, [log], found an integer",
                  "f:3: ppp.mru: must be an integer, found a string",
                  "f:4: ppp.dns: must be an array, [...], of a string each, found a string",
                  "f:5: ppp.mppe: must be a string, found a boolean",
                  "f:6: ppp.mtu: must be an integer, found a number with a fraction",
                  "f:8: pptp.listen[0]: must be a string, found an integer",
                  "f:10: auth.server_name: must be a string, found a date or time",
                  "f:11: pools: must be an array of tables, [[pools]], found a table"));
}

TEST(Load, IntegerOutOfRange) {
  EXPECT_THAT(Lines("[ppp]\nmru = 9001\nmtu = -1\n[pptp]\nreceive_window = 9223372036854775807\n"),
              ElementsAre("f:2: ppp.mru: 9001 is out of range: 576 to 9000 are allowed",
                          "f:3: ppp.mtu: -1 is out of range: 576 to 9000 are allowed",
                          "f:5: pptp.receive_window: 9223372036854775807 is out of range: 1 to "
                          "65535 are allowed"));
}

TEST(Load, ItemsHaveTheirNumber) {
  EXPECT_THAT(Lines(std::string(kPort) + kPort + "mtu = 10\n"),
              testing::Contains("f:7: dataplane.ports[1].mtu: 10 is out of range: 576 to 9216 are "
                                "allowed"));
}

TEST(Load, ChoicesAreListed) {
  EXPECT_THAT(Lines("[log]\nlevel = \"loud\"\n[dataplane]\nidle = \"\"\n[auth]\n"
                    "methods = [\"pap\", \"chap\"]\n"),
              ElementsAre("f:2: log.level: \"loud\" is not one of: trace, debug, info, warning, "
                          "error",
                          "f:4: dataplane.idle: \"\" is not one of: poll, sleep",
                          "f:6: auth.methods[1]: \"chap\" is not one of: pap, chap-md5, mschap, "
                          "mschap-v2, eap"));
}

TEST(Load, FormsOfText) {
  EXPECT_THAT(
      Lines("[dataplane]\nsocket = \"run/sock\"\n"
            "[[dataplane.ports]]\nname = \"a b\"\ndevice = \"d\"\nmac = \"01:00:00:00:00:00\"\n"
            "addresses = [\"192.0.2.1\"]\n"
            "[dataplane.clients]\nroutes = [\"10.77.0.1/16\"]\n"
            "[pptp]\nlisten = [\"0.0.0.0\"]\n"
            "[ppp]\ngateway_address = \"10.77.0\"\n"
            "[[pools]]\nname = \"p\"\nranges = [\"10.77.0.9-10.77.0.2\"]\n"),
      ElementsAre(
          "f:2: dataplane.socket: \"run/sock\" is not an absolute path",
          "f:4: dataplane.ports[0].name: \"a b\" is not a name of letters, digits, '-', '_' and "
          "'.', that starts with a letter or digit",
          "f:6: dataplane.ports[0].mac: \"01:00:00:00:00:00\" is not a unicast MAC address such as "
          "02:00:00:00:00:01",
          "f:7: dataplane.ports[0].addresses[0]: \"192.0.2.1\" is not an address with its "
          "prefix length, such as 192.0.2.1/24 or 2001:db8::1/64",
          "f:9: dataplane.clients.routes[0]: \"10.77.0.1/16\" is not a prefix with no host "
          "bits set, such as 192.0.2.0/24 or 2001:db8::/32",
          "f:11: pptp.listen[0]: \"0.0.0.0\" is not an IPv4 address and a port from 1 to 65535, "
          "such as 192.0.2.1:1723",
          "f:13: ppp.gateway_address: \"10.77.0\" is not an IPv4 address such as 192.0.2.1",
          "f:16: pools[0].ranges[0]: \"10.77.0.9-10.77.0.2\" is not a range such as "
          "192.0.2.10-192.0.2.99, lowest first, or a prefix such as 192.0.2.0/24"));
}

TEST(Load, TextThatIsTooLongOrHoldsControlCharacters) {
  EXPECT_THAT(Lines("[dataplane.clients]\ninterface = \"culvert012345678\"\n"
                    "[pptp]\nhost_name = \"a\\nb\"\n"),
              ElementsAre("f:2: dataplane.clients.interface: \"culvert012345678\" is 16 octets "
                          "long; at most 15 are allowed",
                          "f:4: pptp.host_name: \"a\\x0ab\" holds a control character: use "
                          "printable text"));
}

TEST(Load, TooManyAndTooFewItems) {
  EXPECT_THAT(Lines("[ppp]\ndns = [\"192.0.2.1\", \"192.0.2.2\", \"192.0.2.3\"]\n"
                    "[auth]\nmethods = []\n"),
              ElementsAre("f:2: ppp.dns: has 3 items; at most 2 are allowed",
                          "f:4: auth.methods: at least one item is needed"));
}

TEST(Load, MissingAndEmptyValues) {
  EXPECT_THAT(Lines("[[dataplane.ports]]\nname = \"wan0\"\n[management]\nsocket = \"\"\n"),
              ElementsAre("f:1: dataplane.ports[0].device: is missing and has no default",
                          "f:4: management.socket: must not be empty: an absolute path"));
}

TEST(Load, SyntaxErrorHasItsLine) {
  const auto lines = Lines("[ppp]\nmru = \n");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].rfind("f:2: not TOML: ", 0), 0u) << lines[0];
}

TEST(Load, AllProblemsAtOnceInTheOrderOfTheFile) {
  EXPECT_THAT(
      Lines("[pptp]\nlisten = [\"x\"]\nechoes = 1\n[log]\nlevel = 1\n", Process::kDataplane),
      ElementsAre("f: dataplane.ports: at least one is needed: add a table "
                  "[[dataplane.ports]]",
                  "f:2: pptp.listen[0]: \"x\" is not an IPv4 address and a port from 1 to "
                  "65535, such as 192.0.2.1:1723",
                  "f:3: pptp.echoes: unknown key; known here: listen, host_name, vendor, "
                  "start_timeout_s, echo_interval_s, echo_timeout_s, stop_timeout_s, "
                  "receive_window, max_calls_per_connection, max_connections, "
                  "call_id_rest_s, reorder_packets, reorder_delay_ms, honour_peer_window, "
                  "dont_fragment, copy_dscp, dscp, rates, ack_delay_ms, pools, "
                  "idle_timeout_s, "
                  "call_timeout_s, lcp_delay_ms, incoming_calls, sources",
                  "f:5: log.level: must be a string, found an integer"));
}

TEST(Load, FilesThatCannotBeRead) {
  const Loaded missing = Load("/nonexistent/culvert.toml", Process::kControlplane);
  ASSERT_EQ(missing.problems.size(), 1u);
  EXPECT_EQ(Format(missing.problems[0]),
            "/nonexistent/culvert.toml: cannot be read: No such file or directory");
  const Loaded directory = Load("/tmp", Process::kControlplane);
  ASSERT_EQ(directory.problems.size(), 1u);
  EXPECT_EQ(Format(directory.problems[0]), "/tmp: is a directory, not a configuration file");
}

TEST(Load, AFileOnDisk) {
  std::string path = testing::TempDir() + "culvert-load-XXXXXX";
  const int descriptor = mkstemp(path.data());
  ASSERT_GE(descriptor, 0);
  close(descriptor);
  std::ofstream(path) << "[ppp]\nmru = 1300\n";
  const Loaded loaded = Load(path, Process::kControlplane);
  EXPECT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.ppp().mru(), 1300u);
  EXPECT_EQ(RunCheck(path, Process::kControlplane), 0);
  EXPECT_EQ(RunCheck(path, Process::kDataplane), 2);
  std::remove(path.c_str());
}

TEST(Load, AFileWithSecretsIsItsOwnersAlone) {
  std::string path = testing::TempDir() + "culvert-load-XXXXXX";
  const int descriptor = mkstemp(path.data());
  ASSERT_GE(descriptor, 0);
  close(descriptor);
  const auto write = [&path](const std::string& secret) {
    std::ofstream(path) << "[radius]\nservers = [{name = \"one\", address = \"192.0.2.20\", " +
                               secret +
                               "}]\n[radius.dynamic]\nlisten = [\"192.0.2.1\"]\n"
                               "[[radius.dynamic.clients]]\naddress = \"192.0.2.20\"\n" +
                               secret + "\n";
  };
  write("secret = \"dont-tell-4711\"");
  for (const mode_t mode : {0604, 0640, 0660, 0644}) {
    chmod(path.c_str(), mode);
    const Loaded loaded = Load(path, Process::kControlplane);
    ASSERT_EQ(loaded.problems.size(), 2u);
    EXPECT_EQ(Format(loaded.problems[0]),
              fmt::format("{}:2: radius.servers[0].secret: stands in a file whose mode {:04o} lets "
                          "others in: run chmod 600 {}, or name a file of its own in secret_file",
                          path, mode, path));
    EXPECT_EQ(loaded.problems[1].key, "radius.dynamic.clients[0].secret");
    EXPECT_EQ(RunCheck(path, Process::kControlplane), 2);
  }
  chmod(path.c_str(), 0600);
  EXPECT_TRUE(Load(path, Process::kControlplane).ok());
  write("secret_file = \"/etc/culvert/radius-secret\"");
  chmod(path.c_str(), 0644);
  EXPECT_TRUE(Load(path, Process::kControlplane).ok());
  std::remove(path.c_str());
}

TEST(Load, TheExampleIsRight) {
  const char* folder = std::getenv("CULVERT_CONFIG_DIR");
  if (folder == nullptr) GTEST_SKIP() << "CULVERT_CONFIG_DIR is not set: run by meson test";
  const Loaded loaded = Load(std::string(folder) + "/culvert.toml", Process::kDataplane);
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << Format(problem);
  EXPECT_EQ(loaded.config.dataplane().ports_size(), 2);
}

}  // namespace
}  // namespace culvert::config
