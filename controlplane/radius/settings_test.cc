#include "controlplane/radius/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

config::v1::Config ConfigOf(const std::string& text) {
  config::Loaded loaded = config::LoadText(text, "f", config::Process::kControlplane);
  EXPECT_TRUE(loaded.ok()) << (loaded.ok() ? "" : config::Format(loaded.problems[0]));
  return std::move(loaded.config);
}

std::string Server(const std::string& more) {
  return "[[radius.servers]]\nname = \"one\"\naddress = \"192.0.2.20\"\n" + more;
}

class SecretFile {
 public:
  SecretFile(const std::string& text, mode_t mode) {
    const int fd = mkstemp(path_.data());
    EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    fchmod(fd, mode);
    close(fd);
  }
  ~SecretFile() { unlink(path_.c_str()); }
  std::string Config() const { return Server("secret_file = \"" + path_ + "\"\n"); }

 private:
  std::string path_ = "/tmp/culvert_radius_XXXXXX";
};

std::vector<uint8_t> BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

TEST(RadiusSettings, DefaultsOfAServer) {
  ClientSettings settings;
  EXPECT_TRUE(ReadClientSettings(ConfigOf(Server("secret = \"s3cret\"\n")), settings).empty());
  ASSERT_EQ(settings.authentication.size(), 1u);
  const ServerSettings& server = settings.authentication[0];
  EXPECT_EQ(server.name, "one");
  EXPECT_EQ(server.address, "192.0.2.20");
  EXPECT_EQ(server.port, 1812);
  EXPECT_EQ(server.priority, 1u);
  EXPECT_EQ(server.weight, 1u);
  EXPECT_EQ(server.dead_time_ms, 30'000u);
  EXPECT_EQ(server.message_authenticator, MessageAuthenticatorPolicy::kAuto);
  EXPECT_EQ(server.recovery, Recovery::kStatusServer);
  EXPECT_TRUE(server.secret->Equals(BytesOf("s3cret")));
  ASSERT_EQ(settings.accounting.size(), 1u);
  EXPECT_EQ(settings.accounting[0].port, 1813);
  EXPECT_EQ(settings.times.initial_ms, 2000u);
  EXPECT_EQ(settings.times.tries, 2u);
  EXPECT_EQ(settings.times.deadline_ms, 18'000u);
}

TEST(RadiusSettings, EveryKeyIsTaken) {
  ClientSettings settings;
  const config::v1::Config config = ConfigOf(
      "[radius]\nnas_identifier = \"gw\"\nnas_address = \"2001:db8::7\"\n"
      "source_addresses = [\"2001:db8::8\", \"192.0.2.8\"]\nretransmit_ms = 500\ntries = 3\n"
      "deadline_s = 9\n" +
      Server("secret = \"x\"\nauth_port = 11812\nacct_port = 0\npriority = 2\nweight = 7\n"
             "dead_time_s = 5\nmessage_authenticator = \"required\"\nrecovery = \"request\"\n"));
  EXPECT_TRUE(ReadClientSettings(config, settings).empty());
  const ServerSettings& server = settings.authentication.at(0);
  EXPECT_EQ(server.port, 11812);
  EXPECT_EQ(server.priority, 2u);
  EXPECT_EQ(server.weight, 7u);
  EXPECT_EQ(server.dead_time_ms, 5000u);
  EXPECT_EQ(server.message_authenticator, MessageAuthenticatorPolicy::kRequired);
  EXPECT_EQ(server.recovery, Recovery::kRequest);
  EXPECT_TRUE(settings.accounting.empty());
  EXPECT_EQ(settings.source_ipv4, "192.0.2.8");
  EXPECT_EQ(settings.source_ipv6, "2001:db8::8");
  EXPECT_EQ(settings.times.initial_ms, 500u);
  EXPECT_EQ(settings.times.tries, 3u);
  EXPECT_EQ(settings.times.deadline_ms, 9000u);
  const NasIdentity nas = MakeNasIdentity(config);
  EXPECT_EQ(nas.identifier, "gw");
  EXPECT_FALSE(nas.ipv4.has_value());
  EXPECT_EQ(testing::ToHex(*nas.ipv6), "20010db8000000000000000000000007");
  EXPECT_EQ(MakeAccessSettings(config).framed_mtu, 1396) << "MRU 1400, less the header of EAP";
}

TEST(RadiusSettings, SecretsFromFiles) {
  ClientSettings settings;
  SecretFile file("from file\n", 0600);
  EXPECT_TRUE(ReadClientSettings(ConfigOf(file.Config()), settings).empty());
  EXPECT_TRUE(settings.authentication[0].secret->Equals(BytesOf("from file")));
  for (const auto& [text, mode] : {std::pair<std::string, mode_t>{"readable", 0644},
                                   {"", 0600},
                                   {"\n", 0600},
                                   {std::string(256, 'x'), 0600}}) {
    SecretFile bad(text, mode);
    const auto problems = ReadClientSettings(ConfigOf(bad.Config()), settings);
    ASSERT_EQ(problems.size(), 1u) << mode;
    EXPECT_FALSE(problems[0].message.empty());
  }
}

}  // namespace
}  // namespace culvert::radius
