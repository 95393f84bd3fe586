// Runner: one run of a plan, from the first call to the report.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/load/fleet/fleet.h"
#include "tools/load/plan/plan.h"
#include "tools/load/report/report.h"
#include "tools/load/run/control.h"
#include "tools/load/run/show.h"
#include "tools/load/tunnel/capture.h"

namespace culvert::load {

class Runner {
 public:
  // `accounts` are those of the plan. They and `show` outlive the runner.
  Runner(const Plan& plan, const std::vector<client_role::Account>* accounts, Show* show);

  // Start opens everything and dials the first call alone; gives what is wrong, or an empty string.
  // A call that fails then is wrong use: no server, no such user, no encryption.
  std::string Start();
  // Run does the rest. It ends early, in good order, when `signal_fd` can be read.
  void Run();
  [[nodiscard]] Report MakeReport() const;

  // OnTurn is called in Run(), some 1000 times a second, until the calls are to end.
  void OnTurn(std::function<void(Fleet*)> on_turn) { on_turn_ = std::move(on_turn); }
  // stop_fd: readable when the run is to end, a signalfd. Set before Start.
  void StopOn(int stop_fd) { stop_fd_ = stop_fd; }

 private:
  void Turn();
  v1::ControlReply OnRequest(const v1::ControlRequest& request);
  // Carries a request out; what is wrong with it, or an empty string.
  std::string CarryOut(const v1::ControlRequest& request);
  void DialDue();
  void Sample();
  [[nodiscard]] bool Stopped();
  [[nodiscard]] bool Finished() const;
  [[nodiscard]] uint32_t NumIn(Stage stage) const {
    return tally_.calls[static_cast<size_t>(stage)];
  }

  Plan plan_;
  const std::vector<client_role::Account>* const accounts_;
  Show* const show_;
  Tally tally_;
  Fleet fleet_;
  Capture capture_;
  Control control_{[this](const v1::ControlRequest& request) { return OnRequest(request); }};
  std::function<void(Fleet*)> on_turn_;
  int stop_fd_ = -1;
  bool stopped_ = false, ends_ = false;
  uint64_t begun_us_ = 0, dial_us_ = 0, sampled_us_ = 0;
  double dialled_ = 0;       // calls that the rate has allowed so far
  double dial_seconds_ = 0;  // from the first call to the last that came up
  size_t dialling_samples_ = 0;
  uint64_t dialled_up_ = 0;  // calls that came up within dial_seconds_
  Tally last_;               // at the last sample
  std::vector<v1::Sample> samples_;
};

}  // namespace culvert::load
