// Hooks are real programs here: shell scripts in a folder of the test's own.
#include "controlplane/hooks/hook_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

namespace culvert {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Result = HookRunner::Result;

class HookRunnerTest : public ::testing::Test {
 protected:
  HookRunnerTest() { EXPECT_NE(mkdtemp(folder_.data()), nullptr); }
  ~HookRunnerTest() override {
    runner_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Start(HookRunner::Settings settings) { runner_ = std::make_unique<HookRunner>(settings); }
  std::string Script(const std::string& name, const std::string& body) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    chmod(path.c_str(), 0755);
    return path;
  }
  void Run(HookKind kind, uint64_t call, const std::string& program,
           std::vector<std::string> arguments = {}, std::vector<std::string> environment = {}) {
    runner_->Run({.kind = kind,
                  .call = call,
                  .program = program,
                  .arguments = std::move(arguments),
                  .environment = std::move(environment),
                  .done = [this](bool ok) {
                    const std::lock_guard lock(mutex_);
                    (ok ? num_ok_ : num_bad_) += 1;
                  }});
  }
  bool Eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 24'000; ++i) {
      if (condition()) return true;
      usleep(5000);
    }
    return false;
  }
  bool Finished(int count) {
    return Eventually([&] {
      const std::lock_guard lock(mutex_);
      return num_ok_ + num_bad_ == count;
    });
  }
  std::string Read(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }
  uint64_t Runs(HookKind kind, Result result) {
    return runner_->counters().runs[static_cast<size_t>(kind)][static_cast<size_t>(result)];
  }

  std::string folder_ = "/tmp/culvert_hooks_XXXXXX";
  std::unique_ptr<HookRunner> runner_;
  std::mutex mutex_;
  int num_ok_ = 0, num_bad_ = 0;
};

TEST_F(HookRunnerTest, ProgramGetsArgumentsAndNothingElseOfOurs) {
  std::signal(SIGPIPE, SIG_IGN);  // as the process does
  Start({});
  const std::string out = folder_ + "/out";
  const std::string script =
      Script("up",
             "echo \"args $*\" > $OUT\nenv >> $OUT\nls -l /proc/self/fd >> $OUT\npwd >> $OUT\n"
             "grep SigIgn /proc/self/status >> $OUT; cat >> $OUT");
  const int leak = dup(0);  // as a library would: not closed by exec
  Run(HookKind::kUp, 1, script, {"a", "b c"}, {"OUT=" + out, "PEERNAME=alice"});
  ASSERT_TRUE(Finished(1));
  close(leak);
  const std::string text = Read("out");
  EXPECT_THAT(text, HasSubstr("args a b c\n"));
  EXPECT_THAT(text, HasSubstr("PEERNAME=alice\n"));
  EXPECT_THAT(text, Not(HasSubstr("HOME=")));
  EXPECT_THAT(text, HasSubstr(" 0 -> /dev/null"));
  EXPECT_THAT(text, Not(HasSubstr(" 5 -> "))) << "3 and 4 are ls's and the shell's own";
  const size_t ignored = text.find("SigIgn:	");
  ASSERT_NE(ignored, std::string::npos);
  EXPECT_EQ(std::stoull(text.substr(ignored + 8), nullptr, 16) & (1u << (SIGPIPE - 1)), 0u);
  EXPECT_EQ(Runs(HookKind::kUp, Result::kOk), 1u);
}

TEST_F(HookRunnerTest, ExitStatusIsToldAndCounted) {
  Start({});
  Run(HookKind::kPreUp, 1, Script("no", "exit 3"));
  Run(HookKind::kPreUp, 2, Script("yes", "exit 0"));
  Run(HookKind::kPreUp, 3, folder_ + "/nowhere");
  ASSERT_TRUE(Finished(3));
  EXPECT_EQ(num_ok_, 1);
  EXPECT_EQ(Runs(HookKind::kPreUp, Result::kFailed), 1u);
  EXPECT_EQ(Runs(HookKind::kPreUp, Result::kNotRun), 1u);
}

TEST_F(HookRunnerTest, JobsOfOneCallKeepTheirOrder) {
  Start({});
  const std::string script = Script("step", "sleep 0.0$2; echo $1 >> " + folder_ + "/order");
  Run(HookKind::kUp, 1, script, {"up", "9"});
  Run(HookKind::kChange, 1, script, {"change", "5"});
  Run(HookKind::kDown, 1, script, {"down", "0"});
  ASSERT_TRUE(Finished(3));
  EXPECT_EQ(Read("order"), "up\nchange\ndown\n");
}

TEST_F(HookRunnerTest, HangingProgramHarmsOnlyItself) {
  Start({.timeout_ms = 3000, .kill_after_ms = 100, .max_running = 2});
  // Deaf to SIGTERM, and so is its child.
  const std::string deaf =
      Script("deaf", "trap '' TERM\nsh -c \"trap '' TERM; echo \\$\\$ > " + folder_ +
                         "/child; while :; do sleep 1; done\" &\nwhile :; do sleep 1; done");
  Run(HookKind::kUp, 1, deaf);
  const std::string quick = Script("quick", ":");
  for (uint64_t call = 2; call < 12; ++call) {
    Run(HookKind::kUp, call, quick);
  }
  ASSERT_TRUE(Eventually([&] { return Runs(HookKind::kUp, Result::kOk) == 10; }));
  Run(HookKind::kDown, 1, quick);  // behind the one that hangs
  ASSERT_TRUE(Finished(12));
  EXPECT_EQ(Runs(HookKind::kUp, Result::kTimeout), 1u);
  EXPECT_EQ(Runs(HookKind::kDown, Result::kOk), 1u);
  const std::string child = Read("child");
  ASSERT_FALSE(child.empty());
  EXPECT_TRUE(Eventually([&] {  // gone, or a zombie that its new parent has not reaped
    std::ifstream stat("/proc/" + std::to_string(std::stoi(child)) + "/stat");
    std::string pid, name, state;
    return !(stat >> pid >> name >> state) || state == "Z";
  }));
}

TEST_F(HookRunnerTest, ProgramsAtOnceAndWaitingAreBounded) {
  Start({.timeout_ms = 120'000, .max_running = 2, .max_waiting = 3});
  const std::string wait = Script("wait", "while [ ! -e " + folder_ + "/go ]; do sleep 0.01; done");
  for (uint64_t call = 1; call <= 2; ++call) Run(HookKind::kUp, call, wait);
  ASSERT_TRUE(Eventually([&] { return runner_->counters().running == 2; }));
  for (uint64_t call = 3; call <= 10; ++call) Run(HookKind::kUp, call, wait);
  EXPECT_EQ(Runs(HookKind::kUp, Result::kLeftOut), 5u);
  Run(HookKind::kDown, 1, wait);
  EXPECT_EQ(Runs(HookKind::kDown, Result::kLeftOut), 0u) << "ends have more room";
  EXPECT_EQ(runner_->counters().running, 2u);
  std::ofstream(folder_ + "/go") << "";
  ASSERT_TRUE(Finished(11));
  EXPECT_EQ(Runs(HookKind::kUp, Result::kOk), 5u);
}

TEST_F(HookRunnerTest, FloodOfOutputIsReadAndDropped) {
  Start({});
  Run(HookKind::kUp, 1, Script("loud", "head -c 3000000 /dev/zero; echo end >&2"));
  ASSERT_TRUE(Finished(1));
  EXPECT_EQ(num_ok_, 1);
}

TEST_F(HookRunnerTest, StopWaitsForAWhileOnly) {
  Start({});
  Run(HookKind::kDown, 1, Script("slow", "sleep 0.2; echo done > " + folder_ + "/slow.out"));
  Run(HookKind::kDown, 2, Script("hang", "sleep 100"));
  const auto start = std::chrono::steady_clock::now();
  runner_->Stop(4000);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(80))
      << "the other sleeps 100 s";
  EXPECT_EQ(Read("slow.out"), "done\n");
  EXPECT_EQ(num_ok_, 1);
  Run(HookKind::kUp, 3, "/bin/true");
  EXPECT_EQ(Runs(HookKind::kUp, Result::kLeftOut), 1u);
}

}  // namespace
}  // namespace culvert
