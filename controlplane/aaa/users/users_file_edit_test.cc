#include "controlplane/aaa/users/users_file_edit.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include <vector>

#include "controlplane/aaa/users/users.h"
#include "controlplane/crypto/mschap.h"

namespace culvert {
namespace {

Secret SecretOf(std::string_view text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}
Secret HashOf(std::string_view text) {
  return crypto::NtPasswordHash(SecretOf(text).octets()).value();
}
PasswordEdit Edit(std::string name, std::string_view old_password, std::string_view password) {
  return {.name = std::move(name),
          .old_nt_hash = HashOf(old_password),
          .password = SecretOf(password),
          .nt_hash = HashOf(password)};
}
std::string Apply(const std::string& text, std::vector<PasswordEdit>& edits) {
  const Secret edited = EditUsersFile(text, edits);
  return {edited.octets().begin(), edited.octets().end()};
}
// ApplyOne also checks that the result says what it should.
std::string ApplyOne(const std::string& text, std::string_view password) {
  std::vector<PasswordEdit> edits;
  edits.push_back(Edit("alice", "old", password));
  const std::string edited = Apply(text, edits);
  EXPECT_TRUE(edits[0].status.ok()) << edits[0].status;
  Users users;
  const UserProblems problems = ReadUsersText(edited, "users", 0, users);
  EXPECT_TRUE(problems.errors.empty()) << edited;
  const User* alice = users.Find("alice").user;
  if (alice == nullptr) {
    ADD_FAILURE() << edited;
    return edited;
  }
  EXPECT_FALSE(alice->expired);
  EXPECT_TRUE(alice->password.empty() ? alice->nt_hash.Equals(HashOf(password).octets())
                                      : alice->password.Equals(SecretOf(password).octets()))
      << edited;
  return edited;
}

TEST(UsersFileEdit, LeavesEverythingElseAsItIs) {
  EXPECT_EQ(
      ApplyOne("# Ours.\n\n[[user]]  # bob\nname='bob'\npassword = 'x' # why\nexpired = true\n\n"
               "[[user]]\n  name = \"alice\"\n  password   =  \"old\"   # s\xc3\xa9same\n"
               "\texpired=true\n  address = \"10.0.0.1\"\n# The end",
               "new"),
      "# Ours.\n\n[[user]]  # bob\nname='bob'\npassword = 'x' # why\nexpired = true\n\n"
      "[[user]]\n  name = \"alice\"\n  password   =  \"new\"   # s\xc3\xa9same\n"
      "  address = \"10.0.0.1\"\n# The end");
}

TEST(UsersFileEdit, OtherFormsOfTheFile) {
  EXPECT_EQ(ApplyOne("user = [{name='b\xc3\xb6', password='x'}, {name='alice', password='old', "
                     "expired=true}]",
                     "new"),
            "user = [{name='b\xc3\xb6', password='x'}, {name='alice', password=\"new\", "
            "expired=false}]");
  EXPECT_EQ(ApplyOne("[[user]]\r\nexpired = true # 1 May\r\npassword = \"old\"\r\nname = "
                     "\"alice\"\r\n",
                     "new"),
            "[[user]]\r\nexpired = false # 1 May\r\npassword = \"new\"\r\nname = \"alice\"\r\n");
  EXPECT_EQ(ApplyOne("[[user]]\nname='alice'\npassword = '''\nold'''\nexpired = true", "new"),
            "[[user]]\nname='alice'\npassword = \"new\"\n");
}

TEST(UsersFileEdit, AHashStaysAHash) {
  const auto hex = [](std::string_view password) {
    const Secret hash = HashOf(password);
    return absl::AsciiStrToUpper(absl::BytesToHexString(
        {reinterpret_cast<const char*>(hash.octets().data()), hash.octets().size()}));
  };
  const std::string before = "[[user]]\nname = 'alice'\nexpired = true\nnt_hash = '";
  EXPECT_EQ(ApplyOne(before + hex("old") + "'\n", "new"),
            "[[user]]\nname = 'alice'\nnt_hash = \"" + hex("new") + "\"\n");
}

TEST(UsersFileEdit, NothingInAPasswordEscapes) {
  for (const std::string password :
       {"\"]\nname = 'x", "\\", "\x7f\x01\t\r\n", "\xf0\x9f\x94\x91", "'''", "# no comment"}) {
    ApplyOne("[[user]]\nname = 'alice'\npassword = 'old'\nexpired = true\n", password);
  }
}

TEST(UsersFileEdit, SaysWhatCannotBe) {
  const std::string text =
      "[[user]]\nname='alice'\npassword='other by now'\n[[user]]\nname='bob'\npassword='old'\n";
  std::vector<PasswordEdit> edits;
  edits.push_back(Edit("alice", "old", "new"));
  edits.push_back(Edit("carol", "old", "new"));
  edits.push_back(Edit("bob", "old", std::string(256, 'x')));
  EXPECT_EQ(Apply(text, edits), text);
  EXPECT_TRUE(absl::IsAborted(edits[0].status));
  EXPECT_TRUE(absl::IsNotFound(edits[1].status));
  EXPECT_TRUE(absl::IsInvalidArgument(edits[2].status));
  edits[0] = Edit("bob", "old", "first");
  edits[2] = Edit("bob", "old", "second");
  EXPECT_NE(Apply(text, edits).find("'bob'\npassword=\"first\""), std::string::npos);
  EXPECT_TRUE(absl::IsAborted(edits[2].status)) << "one at a time";
}

}  // namespace
}  // namespace culvert
