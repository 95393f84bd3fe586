#include "tools/load/run/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace culvert::load {
namespace {

using ::testing::HasSubstr;

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() : path_(::testing::TempDir() + "control_test.sock") { unlink(path_.c_str()); }
  ~ControlTest() override { unlink(path_.c_str()); }

  [[nodiscard]] int Connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  // Ask gives what comes back for `text` after some turns.
  std::string Ask(Control* control, int fd, const std::string& text) {
    EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    for (int i = 0; i < 10; ++i) {
      control->Serve();
    }
    std::string reply(65536, '\0');
    const ssize_t len = recv(fd, reply.data(), reply.size(), 0);
    return reply.substr(0, len > 0 ? static_cast<size_t>(len) : 0);
  }

  const std::string path_;
  unsigned num_requests_ = 0;
  Control control_{[this](const v1::ControlRequest&) {
    ++num_requests_;
    return v1::ControlReply();
  }};
};

// Such as `--control plan.toml`, by mistake.
TEST_F(ControlTest, AFileIsNotReplaced) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(control_.Open(path_), HasSubstr("no socket"));
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(ControlTest, ASocketOfTheDeadIsReplacedAnotherIsNot) {
  {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    close(fd);
  }
  EXPECT_EQ(control_.Open(path_), "");
  Control other([](const v1::ControlRequest&) { return v1::ControlReply(); });
  EXPECT_THAT(other.Open(path_), HasSubstr("another process"));
}

TEST_F(ControlTest, AnswersLinesAndSaysWhatIsWrongWithThem) {
  ASSERT_EQ(control_.Open(path_), "");
  const int fd = Connect();
  EXPECT_EQ(Ask(&control_, fd, "{\"sta"), "") << "half a line";
  EXPECT_EQ(Ask(&control_, fd, "tus\":true}\n\n{\"add\":3}\n"), "{}\n{}\n");
  EXPECT_THAT(Ask(&control_, fd, "{\"subtract\":1}\n"), HasSubstr("error"));
  EXPECT_THAT(Ask(&control_, fd, "{\"add\":-1}\n"), HasSubstr("error"));
  EXPECT_THAT(Ask(&control_, fd, std::string(200, '[') + "\n"), HasSubstr("error"));
  EXPECT_EQ(num_requests_, 2u);
  close(fd);
}

TEST_F(ControlTest, AbuseOfOneConnectionLeavesOthersAlone) {
  ASSERT_EQ(control_.Open(path_), "");
  const int endless = Connect(), gone = Connect();
  Ask(&control_, endless, std::string(8192, 'x'));
  close(gone);
  std::vector<int> more;
  for (int i = 0; i < 40; ++i) {
    more.push_back(Connect());
    control_.Serve();
  }
  const int last = Connect();
  EXPECT_EQ(Ask(&control_, last, "{\"status\":true}\n"), "{}\n");
  char octet = 0;
  EXPECT_EQ(recv(endless, &octet, 1, 0), 0) << "a line without end";
  for (const int fd : more) {
    close(fd);
  }
  close(endless);
  close(last);
}

}  // namespace
}  // namespace culvert::load
