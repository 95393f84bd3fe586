#include "tools/load/conformance/runner.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <thread>

#include "tools/load/conformance/session/session.h"
#include "tools/load/conformance/survey.h"

namespace culvert::load::conformance {

std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFine:
      return "fine";
    case Verdict::kDeparts:
      return "departs";
    case Verdict::kViolates:
      return "violates";
    case Verdict::kSkipped:
      return "skipped";
  }
  return "";
}

std::vector<const Case*> AllCases() {
  std::vector<const Case*> out;
  for (const auto group :
       {ControlCases, ControlStreamCases, CallCases, CallEndCases, GreHeaderCases, GreSequenceCases,
        LcpCases, LcpOptionCases, LcpRobustnessCases, PasswordCases, MsChapCases, EapCases,
        CcpCases, MppeCases, MppeLossCases, IpcpCases, NetworkCases, Ipv6cpCases}) {
    for (const Case& one : group()) {
      out.push_back(&one);
    }
  }
  return out;
}

std::vector<const Case*> Select(const std::vector<std::string>& patterns, std::string* unknown) {
  const std::vector<const Case*> all = AllCases();
  if (patterns.empty()) {
    return all;
  }
  std::vector<bool> chosen(all.size());
  for (const std::string& pattern : patterns) {
    bool known = false;
    for (size_t i = 0; i < all.size(); ++i) {
      if (fnmatch(pattern.c_str(), all[i]->name, 0) == 0 ||
          std::string_view(all[i]->name).starts_with(pattern + "/")) {
        chosen[i] = known = true;
      }
    }
    if (!known && unknown->empty()) {
      *unknown = pattern;
    }
  }
  std::vector<const Case*> out;
  for (size_t i = 0; i < all.size(); ++i) {
    if (chosen[i]) {
      out.push_back(all[i]);
    }
  }
  return out;
}

namespace {

Result Try(const Case& one, const Target& target, const Survey& survey, bool quick) {
  if (std::string why = WhyNot(one.needs, survey); !why.empty()) {
    return {Verdict::kSkipped, std::move(why)};
  }
  if (quick && one.seconds > 0) {
    return {Verdict::kSkipped, fmt::format("waits for timers, up to {} s", one.seconds)};
  }
  // The survey has shown that calls come up. A server that does not let one begin may be busy with
  // the other cases: it gets time. One that has died does not come back, and all this is against it.
  for (const int pause_s : {2, 4, 8}) {
    Session session(&target, &survey);
    Result result = one.run(session);
    if (result.began) {
      return result;
    }
    std::this_thread::sleep_for(std::chrono::seconds(pause_s));
  }
  Session session(&target, &survey);
  return one.run(session);
}

}  // namespace

std::vector<Outcome> RunCases(const std::vector<const Case*>& cases, const Target& target,
                              const Survey& survey, unsigned jobs, bool quick,
                              const std::function<void(const Outcome&)>& done) {
  std::vector<Outcome> out(cases.size());
  std::vector<size_t> order(cases.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto waiting = std::stable_partition(order.begin(), order.end(),
                                             [&](size_t i) { return cases[i]->seconds > 0; });
  // Those that wait do nothing else: a thread each, on top of the jobs.
  const auto num_waiting = static_cast<size_t>(waiting - order.begin());
  std::atomic<size_t> next_waiting = 0, next_job = num_waiting;
  std::mutex mutex;
  const auto work = [&](std::atomic<size_t>* next, size_t end) {
    for (size_t at = (*next)++; at < end; at = (*next)++) {
      Outcome& outcome = out[order[at]];
      outcome.tried = cases[order[at]];
      const uint64_t began = Session::NowMs();
      outcome.result = Try(*outcome.tried, target, survey, quick);
      outcome.seconds = static_cast<double>(Session::NowMs() - began) / 1000;
      const std::lock_guard lock(mutex);
      done(outcome);
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < num_waiting; ++i) {
    threads.emplace_back(work, &next_waiting, num_waiting);
  }
  for (unsigned i = 0; i < jobs; ++i) {
    threads.emplace_back(work, &next_job, order.size());
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return out;
}

}  // namespace culvert::load::conformance
