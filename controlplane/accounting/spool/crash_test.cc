// A process that accounts is killed at any instant; over all its lives every call that a server
// heard of has exactly one Stop.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "controlplane/accounting/accounting.h"

namespace culvert::accounting {
namespace {

using std::chrono::milliseconds;

// Pipe: the server is in the parent process. What is in the pipe has been received.
class PipeTransport final : public Transport {
 public:
  explicit PipeTransport(int fd) : fd_(fd) {}
  void Send(const v1::Record& record, uint32_t, std::function<void(bool)> done) override {
    // One write below PIPE_BUF is never torn.
    char line[128];
    const int len = std::snprintf(line, sizeof line, "%d %s %u %lu\n", record.kind(),
                                  record.session().id().c_str(), record.terminate_cause(),
                                  static_cast<unsigned long>(record.traffic().input_octets()));
    const bool lost = ++count_ % 20 == 0;
    if (!lost && write(fd_, line, static_cast<size_t>(len)) != len) {
      _exit(1);
    }
    done(!lost && count_ % 30 != 0);  // some answers are lost
  }

 private:
  const int fd_;
  unsigned count_ = 0;
};

// Live runs calls as fast as it can until it is killed.
[[noreturn]] void Live(const AccountingSettings& settings, int fd, uint64_t first_id) {
  PipeTransport transport(fd);
  auto accounting = Accounting::Start(settings, &transport, [](uint32_t) { return 0u; });
  if (!accounting.ok()) {
    _exit(2);
  }
  for (uint64_t id = first_id;; ++id) {
    v1::Session session;
    session.set_id(std::to_string(id));
    (*accounting)->OnUp(id, id, session, std::nullopt);
    (*accounting)->OnTraffic({{id, {.input_octets = 5}}});
    if (id % 3 != 0 && id > first_id + 20) {
      (*accounting)->OnEnded(id - 20, {.input_octets = 9}, TerminateCause::kUserRequest);
    }
    if (id % 16 == 0) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
}

// LastLife ends what is left and waits until all has been sent.
[[noreturn]] void LastLife(const AccountingSettings& settings, int fd) {
  PipeTransport transport(fd);
  auto accounting = Accounting::Start(settings, &transport, [](uint32_t) { return 0u; });
  if (!accounting.ok()) {
    _exit(2);
  }
  (*accounting)->Stop(milliseconds(60'000));
  _exit((*accounting)->Usage().journal.spool.num_records == 0 ? 0 : 3);
}

struct Heard {
  std::map<std::string, unsigned> starts;
  std::map<std::string, std::set<std::string>> stops;  // what they said, by call
};

void Read(FILE* pipe, Heard* heard) {
  int kind = 0;
  char id[64], cause[16], octets[32];
  while (std::fscanf(pipe, "%d %63s %15s %31s", &kind, id, cause, octets) == 4) {
    if (kind == v1::KIND_START) {
      ++heard->starts[id];
    } else if (kind == v1::KIND_STOP) {
      heard->stops[id].insert(std::string(cause) + " " + octets);
    }
  }
}

// Reboots counts the calls that the start after their process has ended.
size_t Reboots(const Heard& heard) {
  return static_cast<size_t>(
      std::count_if(heard.stops.begin(), heard.stops.end(),
                    [](const auto& call) { return call.second.begin()->starts_with("11 "); }));
}

TEST(AccountingCrash, ExactlyOneStopWhateverDies) {
  std::string folder = ::testing::TempDir() + "crash-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  AccountingSettings settings;
  settings.spool.path = folder + "/spool";
  std::mt19937 random(1);
  Heard heard;
  // A slow machine gets little done in a life, and has more of them.
  constexpr int kLives = 16, kMaxLives = 600;
  bool is_last = false;
  for (int life = 0; !is_last; ++life) {
    is_last = life >= kMaxLives || (life >= kLives && Reboots(heard) > 10);
    int fds[2];
    ASSERT_EQ(pipe(fds), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(fds[0]);
      if (is_last) {
        LastLife(settings, fds[1]);
      }
      Live(settings, fds[1], static_cast<uint64_t>(life) * 1'000'000 + 1);
    }
    close(fds[1]);
    std::thread killer;
    if (!is_last) {
      killer = std::thread([child, after = milliseconds(random() % 120)] {
        std::this_thread::sleep_for(after);
        kill(child, SIGKILL);
      });
    }
    FILE* pipe = fdopen(fds[0], "r");
    Read(pipe, &heard);
    std::fclose(pipe);
    int status = 0;
    waitpid(child, &status, 0);
    if (killer.joinable()) {
      killer.join();
      EXPECT_TRUE(WIFSIGNALED(status));
    } else {
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
  }
  EXPECT_GT(heard.starts.size(), 20u);
  for (const auto& [id, count] : heard.starts) {
    ASSERT_EQ(heard.stops[id].size(), 1u) << "call " << id;
  }
  for (const auto& [id, said] : heard.stops) {
    EXPECT_TRUE(heard.starts.contains(id)) << "a Stop without a Start: " << id;
  }
  const size_t reboots = Reboots(heard);
  EXPECT_GT(reboots, 10u);
  std::printf("%zu calls, %zu ended by the next start\n", heard.starts.size(), reboots);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace culvert::accounting
