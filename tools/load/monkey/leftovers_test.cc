#include "tools/load/monkey/leftovers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

namespace culvert::load {
namespace {

// A control plane that hangs is what a soak is to find; it must not hang with it.
TEST(Leftovers, AServerThatHangsIsAProblem) {
  const std::string path = ::testing::TempDir() + "leftovers_test.sock";
  unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd, 8), 0);
  EXPECT_THAT(Leftovers(path, 500).Look().problem, ::testing::HasSubstr(path));
  close(fd);
  unlink(path.c_str());
}

}  // namespace
}  // namespace culvert::load
