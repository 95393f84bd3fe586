#include "controlplane/aaa/users/user_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace culvert {
namespace {

using Outcome = UserFiles::Outcome;

class UserFilesTest : public ::testing::Test {
 protected:
  UserFilesTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    paths_ = {.users_file = folder_ + "/users",
              .chap_secrets_file = folder_ + "/chap",
              .server_name = "culvert",
              .gateway = 1};
    Write("users", "[[user]]\nname='alice'\npassword='a'\naddress='10.0.0.1'\n");
    Write("chap", "bob * @" + folder_ + "/bob\n");
    Write("bob", "secret");
    auto users = std::make_shared<Users>();
    EXPECT_TRUE(UserFiles::Read(paths_, *users).errors.empty());
    files_ = std::make_unique<UserFiles>(
        paths_, users, [this](const Users& before, const std::shared_ptr<const Users>& now) {
          num_before_ = before.size();
          now_ = now;
        });
  }
  ~UserFilesTest() override {
    files_.reset();
    for (const char* name : {"/users", "/chap", "/bob", "/new"}) {
      unlink((folder_ + name).c_str());
    }
    rmdir(folder_.c_str());
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    chmod((folder_ + "/" + name).c_str(), 0600);
  }
  Outcome PollTwice() {
    EXPECT_EQ(files_->Poll(), Outcome::kWaiting);
    return files_->Poll();
  }

  std::string folder_ = "/tmp/culvert_files_XXXXXX";
  UserFiles::Paths paths_;
  std::unique_ptr<UserFiles> files_;
  size_t num_before_ = 0;
  std::shared_ptr<const Users> now_;
};

TEST_F(UserFilesTest, ReadsAgainWhatHasChangedAndRests) {
  EXPECT_EQ(files_->Poll(), Outcome::kUnchanged);
  Write("users", "[[user]]\nname='carol'\npassword='c'\n[[user]]\nname='dave'\npassword='d'\n");
  EXPECT_EQ(PollTwice(), Outcome::kReplaced);
  EXPECT_EQ(num_before_, 2u);
  ASSERT_NE(now_, nullptr);
  EXPECT_NE(now_->Find("carol").user, nullptr);
  EXPECT_EQ(now_->Find("alice").user, nullptr);
  EXPECT_EQ(files_->num_users(), 3u);
  EXPECT_EQ(files_->Poll(), Outcome::kUnchanged);
}

TEST_F(UserFilesTest, WaitsWhileAFileIsWritten) {
  Write("users", "[[us");
  EXPECT_EQ(files_->Poll(), Outcome::kWaiting);
  Write("users", "[[user]]\nname='carol'\npassword='c'\n");
  EXPECT_EQ(files_->Poll(), Outcome::kWaiting);
  EXPECT_EQ(files_->Poll(), Outcome::kReplaced);
}

TEST_F(UserFilesTest, ABadFileChangesNothing) {
  Write("users", "[[user]]\nname='carol'\n");
  EXPECT_EQ(PollTwice(), Outcome::kRefused);
  EXPECT_EQ(now_, nullptr);
  EXPECT_EQ(files_->num_refused(), 1u);
  EXPECT_EQ(files_->Poll(), Outcome::kUnchanged) << "it is reported once";
  unlink((folder_ + "/users").c_str());
  EXPECT_EQ(PollTwice(), Outcome::kRefused);
  Write("new", "[[user]]\nname='carol'\npassword='c'\n");
  EXPECT_EQ(rename((folder_ + "/new").c_str(), (folder_ + "/users").c_str()), 0);
  EXPECT_EQ(PollTwice(), Outcome::kReplaced);
}

TEST_F(UserFilesTest, ABadLineOfChapSecretsIsLeftOut) {
  Write("chap", "zoe * x\nbad\n");
  EXPECT_EQ(PollTwice(), Outcome::kReplaced);
  EXPECT_NE(now_->Find("zoe").user, nullptr);
  EXPECT_EQ(files_->num_bad_lines(), 1u);
}

TEST_F(UserFilesTest, SecretsElsewhereAreWatchedToo) {
  Write("bob", "another");
  EXPECT_EQ(PollTwice(), Outcome::kReplaced);
  EXPECT_EQ(now_->Find("bob").user->password.octets().size(), 7u);
}

TEST_F(UserFilesTest, ItsThreadDoesAllThis) {
  files_->Start(std::chrono::milliseconds(5));
  Write("users", "[[user]]\nname='carol'\npassword='c'\n");
  for (int i = 0; i < 12'000 && files_->num_read() == 0; ++i) {
    usleep(5000);
  }
  EXPECT_EQ(files_->num_read(), 1u);
}

}  // namespace
}  // namespace culvert
