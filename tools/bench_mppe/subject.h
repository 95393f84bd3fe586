// Subject: one way to do a workload.
#pragma once

#include <memory>
#include <vector>

#include "tools/bench_mppe/workload.h"

namespace culvert::bench {

class Subject {
 public:
  virtual ~Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  // Run does all bursts of the workload once; keys and keystreams go on.
  virtual void Run() = 0;
  // All subjects have the same texts after the same number of runs.
  [[nodiscard]] const std::vector<uint8_t>& texts() const { return texts_; }

 protected:
  explicit Subject(const Workload& workload) : workload_(workload), texts_(workload.texts_len) {}

  const Workload& workload_;
  std::vector<uint8_t> texts_;
};

// The workload outlives the subject. `portable`: the engine's form without assembly.
std::unique_ptr<Subject> MakeEngine(const Workload& workload, bool portable);
// OpenSSL's SHA-1 and RC4, called directly, packet by packet.
std::unique_ptr<Subject> MakeOpenssl(const Workload& workload);
// RC4 in plain C with a table of 32-bit words, the way Linux has it, and OpenSSL's SHA-1.
std::unique_ptr<Subject> MakePlainC(const Workload& workload);

}  // namespace culvert::bench
