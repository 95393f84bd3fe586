#include "controlplane/aaa/users/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "controlplane/aaa/users/secrets_lexer.h"

namespace culvert {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SecretFile {
 public:
  explicit SecretFile(std::string_view text, mode_t mode = 0600) {
    int fd = mkstemp(path_.data());
    EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    fchmod(fd, mode);
    close(fd);
  }
  ~SecretFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/culvert_users_XXXXXX";
};

struct Read {
  Users users;
  std::vector<std::string> problems;  // "line key: message"
};

std::vector<std::string> Texts(const std::vector<config::Problem>& problems) {
  std::vector<std::string> texts;
  for (const config::Problem& problem : problems) {
    texts.push_back(std::to_string(problem.line) + " " + problem.key + ": " + problem.message);
  }
  return texts;
}

constexpr uint32_t kGateway = 0x0a4d0001;

Read ReadOwn(std::string_view text, mode_t mode = 0600) {
  SecretFile file(text, mode);
  Read read;
  const UserProblems problems = ReadUsersFile(file.path(), kGateway, read.users);
  read.problems = Texts(problems.errors);
  EXPECT_THAT(problems.warnings, IsEmpty());
  return read;
}

Read ReadPppd(std::string_view text, mode_t mode = 0600) {
  SecretFile file(text, mode);
  Read read;
  const UserProblems problems = ReadChapSecrets(file.path(), "culvert", kGateway, read.users);
  read.problems = Texts(problems.errors);
  for (std::string& warning : Texts(problems.warnings)) {
    read.problems.push_back("left out " + std::move(warning));
  }
  return read;
}

std::string PasswordOf(const Users& users, std::string_view name) {
  const User* user = users.Find(name).user;
  if (user == nullptr) {
    return "(nobody)";
  }
  std::span<const uint8_t> octets = user->password.octets();
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

TEST(UsersFile, ReadsUsers) {
  Read read = ReadOwn(R"(
[[user]]
name = "alice"
password = "correct horse"
[[user]]
name = "bob"
nt_hash = "44ebba8d5312b8d611474411f56989AE"
address = "10.77.0.9"
)");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(read.users.size(), 2u);
  EXPECT_EQ(PasswordOf(read.users, "alice"), "correct horse");
  const User* bob = read.users.Find("bob").user;
  ASSERT_NE(bob, nullptr);
  EXPECT_EQ(bob->nt_hash.octets().size(), 16u);
  EXPECT_EQ(bob->nt_hash.octets()[15], 0xae);
  EXPECT_EQ(bob->grants().fixed_address, 0x0a4d0009u);
  EXPECT_THAT(read.users.FixedAddresses(), ElementsAre(0x0a4d0009u));
}

TEST(UsersFile, ReadsRatesAndRoutes) {
  Read read = ReadOwn(R"(
[[user]]
name = "alice"
password = "x"
upstream_kbps = 8
downstream_kbps = 0
routes = ["10.9.0.0/16", "10.8.8.8/32"]
)");
  EXPECT_THAT(read.problems, IsEmpty());
  const User* alice = read.users.Find("alice").user;
  ASSERT_NE(alice, nullptr);
  EXPECT_EQ(alice->grants().upstream_bps, 8000u);
  EXPECT_EQ(alice->grants().downstream_bps, 0u);
  ASSERT_EQ(alice->grants().routes.size(), 2u);
  EXPECT_EQ(alice->grants().routes[0].address, 0x0a090000u);
  EXPECT_EQ(alice->grants().routes[0].length, 16);
}

TEST(UsersFile, ReportsBadRatesAndRoutes) {
  Read read = ReadOwn(
      "[[user]]\nname='a'\npassword='x'\nupstream_kbps=7\ndownstream_kbps='fast'\n"
      "routes=['10.0.0.1/8', '0.0.0.0/0', 5]\n"
      "[[user]]\nname='b'\npassword='x'\nroutes='10.0.0.0/8'\n");
  EXPECT_THAT(read.problems,
              ::testing::UnorderedElementsAre(HasSubstr("4 user.upstream_kbps: must be 0"),
                                              HasSubstr("5 user.downstream_kbps: must be 0"),
                                              HasSubstr("6 user.routes: must be an array"),
                                              HasSubstr("10 user.routes: must be an array")));
}

TEST(UsersFile, ReadsEveryKey) {
  Read read = ReadOwn(R"(
[[user]]
name = "alice"
password = "x"
pool = "gold"
routes = ["10.9.0.0/16", "2001:db8:9::/48"]
session_timeout_s = 3600
idle_timeout_s = 0
octet_quota_mb = 5
interim_interval_s = 60
mppe = "require"
mppe_bits = [128, 56]
max_sessions = 2
excess_sessions = "replace"
allowed_sources = ["192.0.2.0/24", "198.51.100.7/32"]
dns = ["192.0.2.53"]
wins = []
mtu = 1300
filter = "gold"
ipv6_prefix = "2001:db8:1::/64"
ipv6_delegated_prefix = "2001:db8:2::/56"
ipv6_pool = "six"
ipv6_delegated_pool = "pd"
ipv6_dns = ["2001:db8::53"]
)");
  EXPECT_THAT(read.problems, IsEmpty());
  const CallGrants& grants = read.users.Find("alice").user->grants();
  EXPECT_EQ(grants.pool, "gold");
  EXPECT_EQ(grants.routes.size(), 1u);
  EXPECT_EQ(grants.ipv6.routes.size(), 1u);
  EXPECT_EQ(grants.session_timeout_s, 3600u);
  EXPECT_EQ(grants.idle_timeout_s, 0u);
  EXPECT_EQ(grants.octet_quota, 5000000u);
  EXPECT_EQ(grants.interim_interval_s, 60u);
  EXPECT_EQ(grants.mppe, MppeGrant::kRequire);
  EXPECT_EQ(grants.mppe_strengths, CallGrants::kMppe128 | CallGrants::kMppe56);
  EXPECT_EQ(grants.max_sessions, 2u);
  EXPECT_EQ(grants.replace_sessions, true);
  EXPECT_EQ(grants.allowed_sources.size(), 2u);
  EXPECT_THAT(grants.dns, ElementsAre(0xc0000235u));
  EXPECT_EQ(grants.mtu, 1300);
  EXPECT_EQ(grants.filter_id, "gold");
  EXPECT_EQ(grants.ipv6.prefix->length, 64);
  EXPECT_EQ(grants.ipv6.delegated_prefix->length, 56);
  EXPECT_EQ(grants.ipv6.pool, "six");
  EXPECT_EQ(grants.ipv6.delegated_pool, "pd");
  EXPECT_EQ(grants.ipv6.dns.size(), 1u);
}

TEST(UsersFile, ReportsWhatAKeyMayBe) {
  Read read = ReadOwn(R"([[user]]
name = "alice"
password = "x"
pool = ""
address = "10.77.0.1"
session_timeout_s = -1
idle_timeout_s = 2592001
octet_quota_mb = "1"
mppe = "maybe"
mppe_bits = [64]
max_sessions = 65536
excess_sessions = "kill"
allowed_sources = []
dns = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
mtu = 9001
ipv6_prefix = "192.0.2.0/24"
ipv6_dns = ["192.0.2.1"]
)");
  EXPECT_THAT(read.problems,
              ::testing::UnorderedElementsAre(
                  HasSubstr("4 user.pool: must be text of"),
                  HasSubstr("5 user.address: is ppp.gateway_address"),
                  HasSubstr("6 user.session_timeout_s: must be 0 (none), or an integer"),
                  HasSubstr("7 user.idle_timeout_s"), HasSubstr("8 user.octet_quota_mb"),
                  HasSubstr("9 user.mppe: must be \"deny\", \"allow\""),
                  HasSubstr("10 user.mppe_bits: must be an array of 40, 56 and 128"),
                  HasSubstr("11 user.max_sessions"), HasSubstr("12 user.excess_sessions"),
                  HasSubstr("13 user.allowed_sources"), HasSubstr("14 user.dns: must be an array"),
                  HasSubstr("15 user.mtu"), HasSubstr("16 user.ipv6_prefix"),
                  HasSubstr("17 user.ipv6_dns")));
}

TEST(UsersFile, ReportsAllProblemsWithoutSecrets) {
  Read read = ReadOwn(R"(color = "blue"
[[user]]
name = "alice"
password = "hunter2"
nt_hash = "hunter2"
[[user]]
password = "hunter2"
address = "10.77.0.256"
[[user]]
name = "carol"
password = 5
shell = "hunter2"
[[user]]
name = "dave"
password = "hunter2"
[[user]]
name = "dave"
password = "hunter2"
)");
  EXPECT_THAT(
      read.problems,
      ::testing::UnorderedElementsAre(
          HasSubstr("1 color: unknown key; allowed: [[user]]"),
          HasSubstr("5 user.nt_hash: must be 32 hexadecimal digits"),
          HasSubstr("2 user: needs either password or nt_hash"),
          HasSubstr("8 user.address: must be an IPv4 address"),
          HasSubstr("6 user.name: is missing"), HasSubstr("11 user.password: must be text"),
          HasSubstr("12 shell: unknown key"), HasSubstr("16 user.name: \"dave\" is there twice")));
  for (const std::string& problem : read.problems) {
    EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
  }
}

TEST(UsersFile, BadSyntaxNamesTheLineAndNoSecret) {
  Read read = ReadOwn("[[user]]\nname = \"alice\"\npassword = hunter2\n");
  EXPECT_THAT(read.problems,
              ElementsAre(AllOf(HasSubstr("3 : is not valid TOML"), Not(HasSubstr("hunter")))));
}

TEST(UsersFile, SameAddressTwice) {
  Read read = ReadOwn(
      "[[user]]\nname='a'\npassword='x'\naddress='10.0.0.1'\n"
      "[[user]]\nname='b'\npassword='x'\naddress='10.0.0.1'\n");
  EXPECT_THAT(
      read.problems,
      ElementsAre(HasSubstr("8 user.address: 10.0.0.1 is the address of the user at line 4")));
}

TEST(SecretFiles, MustBeTheOwnersAlone) {
  for (mode_t mode : {0604, 0640, 0660, 0602, 0610}) {
    EXPECT_THAT(ReadOwn("", mode).problems, ElementsAre(HasSubstr("run: chmod 600 /tmp/culvert")));
    EXPECT_THAT(ReadPppd("", mode).problems, ElementsAre(HasSubstr("run: chmod 600 /tmp/culvert")));
  }
  EXPECT_THAT(ReadOwn("", 0400).problems, IsEmpty());
}

TEST(SecretFiles, MissingOrOdd) {
  Users users;
  EXPECT_THAT(Texts(ReadUsersFile("/nowhere/users", kGateway, users).errors),
              ElementsAre(HasSubstr("No such file or directory")));
  EXPECT_THAT(Texts(ReadChapSecrets("/tmp", "culvert", kGateway, users).errors),
              ElementsAre(HasSubstr("is not a regular file")));
}

TEST(ChapSecrets, ReadsPppdsFormat) {
  Read read = ReadPppd(
      "# client server secret addresses\n"
      "alice * \"two words\" *\n"
      "bob\tculvert 'it\"s' 10.77.0.7   # fixed\n"
      "carol other secret *\n"
      "\"d e\" * pass\\\\word\n"
      "\n"
      "erin * a\\\n"
      "b * -- mtu 1400\n");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(PasswordOf(read.users, "alice"), "two words");
  EXPECT_EQ(PasswordOf(read.users, "bob"), "it\"s");
  EXPECT_EQ(read.users.Find("bob").user->grants().fixed_address, 0x0a4d0007u);
  EXPECT_EQ(PasswordOf(read.users, "carol"), "(nobody)") << "another server's";
  EXPECT_EQ(PasswordOf(read.users, "d e"), "pass\\word");
  EXPECT_EQ(PasswordOf(read.users, "erin"), "ab");
}

TEST(ChapSecrets, BestMatchWins) {
  Read read = ReadPppd("alice * any\nalice culvert exact\nalice culvert later\n* * all\n");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(PasswordOf(read.users, "alice"), "exact");
  EXPECT_EQ(PasswordOf(read.users, "zoe"), "all");
}

TEST(ChapSecrets, BadLinesAreLeftOutAndTheOthersWork) {
  Read read = ReadPppd(
      "alice * @/etc/nowhere *\n"
      "bob *\n"
      "carol * hunter2 10.0.0.0/33\n"
      "dave * hunter2 gold-pool\n"
      "erin * \"\" *\n"
      "frank * hunter2 10.77.0.1\n"
      "* * hunter2 10.0.0.1\n"
      "x * hunter2 10.0.0.3\n"
      "y * hunter2 10.0.0.3\n"
      "good * hunter2\n"
      "zoe * \"hunter2\n");
  EXPECT_THAT(
      read.problems,
      ElementsAre(
          HasSubstr("left out 1 secret: the file that @ names, /etc/nowhere, cannot be"),
          HasSubstr("left out 2 : needs client"),
          HasSubstr("left out 3 addresses: \"10.0.0.0/33\" is none of"),
          HasSubstr("left out 4 addresses: \"gold-pool\" is none of"),
          HasSubstr("left out 5 secret: must have 1 to 255"),
          HasSubstr("left out 6 addresses: is ppp.gateway_address"),
          HasSubstr("left out 7 addresses: one address cannot"), HasSubstr("left out 11 : a quote"),
          HasSubstr("left out 9 addresses: 10.0.0.3 is the address of the client at line 8")));
  for (const std::string& problem : read.problems) {
    EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
  }
  EXPECT_EQ(read.users.size(), 2u);
  EXPECT_EQ(PasswordOf(read.users, "good"), "hunter2");
  EXPECT_EQ(read.users.Find("x").user->grants().fixed_address, 0x0a000003u);
  EXPECT_EQ(PasswordOf(read.users, "y"), "(nobody)");
}

TEST(ChapSecrets, SecretInAnotherFile) {
  SecretFile secret("# of alice\n 'other file' and more\n");
  SecretFile open("secret\n", 0644);
  SecretFile empty("");
  Read read = ReadPppd("alice * @" + secret.path() + "\nbob * @" + open.path() + "\ncarol * @" +
                       empty.path() + "\ndave * @literal\n");
  EXPECT_THAT(read.problems, ElementsAre(AllOf(HasSubstr("left out 2 secret"), HasSubstr("0644")),
                                         HasSubstr("left out 3 secret")));
  EXPECT_EQ(PasswordOf(read.users, "alice"), "other file");
  EXPECT_EQ(PasswordOf(read.users, "dave"), "@literal");
  EXPECT_EQ(read.users.sources().size(), 4u);
}

TEST(SecretsLexer, FollowsPppd) {
  auto words = [](std::string_view text) {
    std::vector<std::string> all;
    SecretsLexer lexer(text);
    while (std::optional<SecretsLine> line = lexer.Next()) {
      for (const std::string& word : line->words) {
        all.push_back(word);
      }
      all.emplace_back("|");
    }
    return all;
  };
  EXPECT_THAT(words(""), IsEmpty());
  EXPECT_THAT(words("a b\nc"), ElementsAre("a", "b", "|", "c", "|"));
  EXPECT_THAT(words("a#b\n#c\n"), ElementsAre("a", "|"));
  EXPECT_THAT(words("a\\#b '#c'"), ElementsAre("a#b", "#c", "|"));
  EXPECT_THAT(words("\\s\\x41\\101\\n"), ElementsAre(" AA\n", "|"));
  EXPECT_THAT(words("a\"b c\"'d e'f"), ElementsAre("ab cd ef", "|"));
  EXPECT_THAT(words("''"), ElementsAre("", "|"));
  EXPECT_THAT(words("a \\\n b"), ElementsAre("a", "b", "|"));
  EXPECT_THAT(words("a\\"), ElementsAre("a", "|"));
}

TEST(Users, DomainIsStrippedOnlyWhenNeeded) {
  Read read = ReadOwn(
      "[[user]]\nname='alice'\npassword='plain'\n"
      "[[user]]\nname='CORP\\alice'\npassword='corp'\n");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(PasswordOf(read.users, "alice"), "plain");
  EXPECT_EQ(PasswordOf(read.users, "CORP\\alice"), "corp");
  EXPECT_EQ(PasswordOf(read.users, "OTHER\\alice"), "plain");
  EXPECT_EQ(read.users.Find("OTHER\\alice").name, "alice");
  EXPECT_EQ(PasswordOf(read.users, "alice@corp"), "(nobody)");
  EXPECT_EQ(PasswordOf(read.users, ""), "(nobody)");
}

}  // namespace
}  // namespace culvert
