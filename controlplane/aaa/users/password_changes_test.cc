#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "controlplane/aaa/users/replace_file.h"
#include "controlplane/aaa/users/user_files.h"
#include "controlplane/crypto/mschap.h"

namespace culvert {
namespace {

namespace fs = std::filesystem;

Secret SecretOf(std::string_view text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}
Secret HashOf(std::string_view text) {
  return crypto::NtPasswordHash(SecretOf(text).octets()).value();
}

class PasswordChangesTest : public ::testing::Test {
 protected:
  PasswordChangesTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    Write("users",
          "# Ours\n[[user]]\nname='alice'\npassword='old'\nexpired=true\n"
          "[[user]]\nname='bob'\npassword='old'\n");
    Write("chap", "carol * secret\n");
    auto users = std::make_shared<Users>();
    EXPECT_TRUE(UserFiles::Read(paths(), *users).errors.empty());
    EXPECT_TRUE(users->Find("alice").user->expired);
    now_ = users;
    files_ = std::make_unique<UserFiles>(
        paths(), users,
        [this](const Users&, const std::shared_ptr<const Users>& now) { now_ = now; });
  }
  ~PasswordChangesTest() override {
    files_.reset();
    fs::remove_all(folder_);
  }
  UserFiles::Paths paths() const {
    return {.users_file = folder_ + "/users",
            .chap_secrets_file = folder_ + "/chap",
            .server_name = "culvert",
            .gateway = 1};
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    chmod((folder_ + "/" + name).c_str(), 0600);
  }
  std::string Read(const std::string& name) {
    std::stringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }
  absl::Status Change(const std::string& name, std::string_view old_password,
                      std::string_view password) {
    answer_ = kNotTold;
    files_->ChangePassword({.name = name,
                            .old_nt_hash = HashOf(old_password),
                            .password = SecretOf(password),
                            .nt_hash = HashOf(password)},
                           [this](const absl::Status& status) { answer_ = status; });
    files_->MakeChanges();
    return answer_;
  }
  // Settle: what was written has been read.
  void Settle() {
    EXPECT_EQ(files_->Poll(), UserFiles::Outcome::kWaiting);
    files_->Poll();
  }

  const absl::Status kNotTold = absl::UnknownError("not told");
  absl::Status answer_;

  std::string folder_ = "/tmp/culvert_change_XXXXXX";
  std::unique_ptr<UserFiles> files_;
  std::shared_ptr<const Users> now_;
};

TEST_F(PasswordChangesTest, FileAndTableHaveIt) {
  chmod((folder_ + "/users").c_str(), 0400);
  ASSERT_TRUE(Change("alice", "old", "new one").ok());
  EXPECT_EQ(Read("users"),
            "# Ours\n[[user]]\nname='alice'\npassword=\"new one\"\n"
            "[[user]]\nname='bob'\npassword='old'\n");
  struct stat info {};
  EXPECT_EQ(stat((folder_ + "/users").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0400u);
  EXPECT_FALSE(now_->Find("alice").user->expired);
  EXPECT_TRUE(now_->Find("alice").user->password.Equals(SecretOf("new one").octets()));
  EXPECT_NE(now_->Find("carol").user, nullptr) << "the other file's";
  EXPECT_EQ(files_->Poll(), UserFiles::Outcome::kUnchanged) << "our own writing is no news";
  EXPECT_EQ(files_->num_changed(), 1u);
  size_t num_files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) {
    ++num_files;
  }
  EXPECT_EQ(num_files, 2u) << "nothing is left behind";
}

TEST_F(PasswordChangesTest, WhatTheOperatorWroteMeanwhileStays) {
  Write("users", "[[user]]\nname='alice'\npassword='old'\nexpired=true\naddress='10.0.0.9'\n");
  Settle();
  ASSERT_TRUE(Change("alice", "old", "new").ok());
  EXPECT_EQ(Read("users"), "[[user]]\nname='alice'\npassword=\"new\"\naddress='10.0.0.9'\n");
  Write("users", "[[user]]\nname='alice'\npassword='set by the operator'\n");
  Settle();
  EXPECT_TRUE(absl::IsAborted(Change("alice", "new", "newer")));
  EXPECT_EQ(Read("users"), "[[user]]\nname='alice'\npassword='set by the operator'\n");
  Write("users", "[[user]]\nname='alice'\npassword='old'\n[[user]]\n");
  Settle();
  EXPECT_TRUE(absl::IsFailedPrecondition(Change("alice", "old", "new")));
  EXPECT_EQ(Read("users"), "[[user]]\nname='alice'\npassword='old'\n[[user]]\n");
  EXPECT_EQ(files_->num_not_changed(), 2u);
}

TEST_F(PasswordChangesTest, WaitsWhileSomebodyWrites) {
  const std::string half = "[[user]]\nname='alice'\npassword='old'\nexpired=true\n";
  Write("users", half);
  EXPECT_EQ(Change("alice", "old", "new"), kNotTold);
  EXPECT_EQ(files_->Poll(), UserFiles::Outcome::kWaiting);
  Write("users", half + "[[user]]\nname='bob'\npassword='old'\n");
  files_->MakeChanges();
  EXPECT_EQ(answer_, kNotTold);
  Settle();
  files_->MakeChanges();
  EXPECT_TRUE(answer_.ok());
  EXPECT_EQ(Read("users"),
            "[[user]]\nname='alice'\npassword=\"new\"\n[[user]]\nname='bob'\npassword='old'\n");
}

TEST_F(PasswordChangesTest, NothingChangesWhileTheOtherFileIsBad) {
  const std::string before = Read("users");
  chmod((folder_ + "/chap").c_str(), 0644);
  EXPECT_TRUE(absl::IsFailedPrecondition(Change("alice", "old", "new")));
  EXPECT_EQ(Read("users"), before);
  EXPECT_TRUE(now_->Find("alice").user->expired);
}

TEST_F(PasswordChangesTest, ReplacesOnlyWhatItHasRead) {
  const FileStamp seen = StampOf(folder_ + "/users");
  Write("users", "[[user]]\nname='dave'\npassword='d'\n");
  EXPECT_TRUE(absl::IsAborted(
      ReplaceFile(folder_ + "/users", seen, SecretOf("too late").octets()).status()));
  EXPECT_EQ(Read("users"), "[[user]]\nname='dave'\npassword='d'\n");
  EXPECT_FALSE(ReplaceFile("/nowhere/users", {}, {}).ok());
}

TEST_F(PasswordChangesTest, ALinkStaysALink) {
  fs::rename(folder_ + "/users", folder_ + "/real");
  fs::create_symlink(folder_ + "/real", folder_ + "/users");
  ASSERT_TRUE(Change("bob", "old", "new").ok());
  EXPECT_TRUE(fs::is_symlink(folder_ + "/users"));
  EXPECT_NE(Read("real").find("name='bob'\npassword=\"new\""), std::string::npos);
}

TEST_F(PasswordChangesTest, TheThreadDoesItAtOnce) {
  files_->Start(std::chrono::seconds(600));
  std::atomic<int> told{0};
  files_->ChangePassword({.name = "bob",
                          .old_nt_hash = HashOf("old"),
                          .password = SecretOf("new"),
                          .nt_hash = HashOf("new")},
                         [&](const absl::Status& status) { told = status.ok() ? 1 : 2; });
  for (int i = 0; i < 12'000 && told == 0; ++i) {
    usleep(5000);
  }
  EXPECT_EQ(told, 1);
  files_->Stop();
}

}  // namespace
}  // namespace culvert
