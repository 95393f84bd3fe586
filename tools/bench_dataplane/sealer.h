// Sealer: MPPE as clients do it, stateless and 128 bit, a burst at a time so that making packets
// does not take longer than measuring.
#pragma once

#include <array>
#include <memory>

#include "dataplane/mppe/engine.h"

namespace culvert::bench {

// SealState: a client's, for one direction.
struct SealState {
  dataplane::mppe::Key start_key{};
  dataplane::mppe::Key key{};
  uint16_t count = 0;
  uint16_t pending = dataplane::mppe::kNoPredecessor;  // its latest job that is not done yet
};

class Sealer {
 public:
  Sealer();
  // False: this processor cannot.
  [[nodiscard]] bool ok() const { return engine_ != nullptr && sha1_ != nullptr; }

  void Start(SealState* state, const dataplane::mppe::Key& start_key) const;
  // Seal gives the two octets of the header for `text`, as a host-order word; `text` is encrypted
  // by the next Flush, or before. Both pointers are borrowed until then.
  uint16_t Seal(SealState* state, uint8_t* text, uint16_t len);
  void Flush();

 private:
  static constexpr size_t kMaxJobs = dataplane::mppe::Engine::kMaxJobs;
  std::unique_ptr<dataplane::mppe::Engine> engine_;
  std::unique_ptr<dataplane::mppe::Sha1> sha1_;
  std::array<dataplane::mppe::StatelessJob, kMaxJobs> jobs_;
  std::array<SealState*, kMaxJobs> states_;
  size_t num_jobs_ = 0;
};

}  // namespace culvert::bench
