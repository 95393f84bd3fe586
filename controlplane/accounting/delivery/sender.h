// Sender decides which record goes to the servers when. Records of one call go one after another,
// Accounting-On and -Off alone. While servers are away one record at a time asks whether they are
// back. Nothing is given up: a record that they do not take while they take others is set aside,
// and asks again now and then. No thread, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "controlplane/accounting/spool/spool.h"

namespace culvert::accounting {

class Sender {
 public:
  // `max_in_flight`: records sent and not answered.
  explicit Sender(size_t max_in_flight);

  // Wanted: how many more records it could do with.
  [[nodiscard]] size_t Wanted() const;
  // Add takes a record from the spool; of one that it has already it takes no notice.
  void Add(StoredRecord record);
  // Supersede: newer records of these calls make their Interims that have not been sent needless.
  void Supersede(const std::unordered_set<uint64_t>& calls);

  struct Outgoing {
    int64_t seq;
    const std::string* record;  // until the next call of anything else
  };
  // Take gives what is to be sent now; each is answered by OnAnswer().
  [[nodiscard]] std::vector<Outgoing> Take(uint64_t now_ms);

  // Verdict is what is to be done with the record in the spool.
  enum class Verdict : uint8_t {
    kKeep,      // it is tried again
    kDone,      // a server has it
    kSetAside,  // SetAside()
    kDrop,      // no server takes it, and later it would do harm: an Interim, an Accounting-On
  };
  struct Outcome {
    Verdict verdict;
    Entry::Step step;
    bool was_aside = false;  // one that had been set aside
  };
  Outcome OnAnswer(int64_t seq, bool acknowledged, uint64_t now_ms);

  // away: the servers answer nothing.
  [[nodiscard]] bool away() const { return away_; }
  [[nodiscard]] size_t in_flight() const { return in_flight_; }
  // num_aside: records that had been set aside and ask again now.
  [[nodiscard]] size_t num_aside() const { return num_aside_; }
  // idle: it has nothing to send.
  [[nodiscard]] bool idle() const { return items_.empty(); }

 private:
  struct Item {
    Entry::Step step;
    uint64_t call;
    std::string record;
    bool in_flight = false;
    bool set_aside = false;     // it was, and now asks again
    uint32_t attempts = 0;      // that failed
    uint32_t strikes = 0;       // those of them while others were acknowledged
    uint64_t acknowledged = 0;  // others, when it was sent
    uint64_t not_before_ms = 0;
  };
  using Items = std::map<int64_t, Item>;

  [[nodiscard]] static bool IsBarrier(const Item& item);
  // HoldsUp: records after this one wait for it.
  [[nodiscard]] static bool HoldsUp(const Item& item);
  // Ready: what may be sent, in order.
  [[nodiscard]] std::vector<int64_t> Ready(uint64_t now_ms) const;
  Verdict OnAcknowledged(Items::iterator item);
  Verdict OnFailed(Items::iterator item, uint64_t now_ms);

  const size_t max_in_flight_;
  size_t window_;  // records in flight at most, now
  Items items_;
  size_t in_flight_ = 0;
  size_t num_aside_ = 0;
  uint64_t acknowledged_ = 0;
  bool away_ = false;
  uint64_t pause_ms_ = 0;
  uint64_t not_before_ms_ = 0;  // of all, while away
};

}  // namespace culvert::accounting
