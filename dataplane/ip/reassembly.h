// Putting outer IPv4 fragments together (RFC 791 s3.2) in bounded memory and time. A datagram takes
// one mbuf, its own result; fragments are copied into it as they come. docs/decisions says why this
// is not rte_ip_frag.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/datapath.h"
#include "proto/wire/ip/ip.h"

namespace culvert::dataplane {

class Reassembly {
 public:
  using Options = ReassemblySpec;                   // the time runs from the first fragment to come
  static constexpr uint16_t kMaxPayload = 9216;     // octets of a whole datagram's payload
  static constexpr uint16_t kMinFirstPayload = 16;  // a whole GRE header

  enum class Outcome : uint8_t {
    kHeld,       // the mbuf stays here
    kCopied,     // the caller frees the fragment
    kComplete,   // the same, and `whole` is the caller's
    kBad,        // lengths that no fragment may have; the caller frees it, as for all below
    kDuplicate,  // all of it is there already
    kOverlap,    // some of it is there already: the datagram is gone too (RFC 5722's rule)
    kFull,       // no place for a fragment whose first one has not come
  };
  struct Result {
    Outcome outcome = Outcome::kBad;
    bool evicted = false;       // an older datagram had to make room
    rte_mbuf* whole = nullptr;  // kComplete: mbuf of the datagram, header without options
  };

  explicit Reassembly(const Options& options);
  ~Reassembly();
  Reassembly(const Reassembly&) = delete;
  Reassembly& operator=(const Reassembly&) = delete;

  // Add takes a fragment in one segment whose IPv4 header, which ParseIpv4 accepted as `header`,
  // stands at `ip_offset` of the mbuf's data; what is before stays as it is. The caller has checked
  // that a first fragment belongs to a call: its datagram is then preferred to those whose first
  // fragment has not come, so that a flood of such cannot keep it out.
  [[nodiscard]] Result Add(rte_mbuf* fragment, const wire::ip::Ipv4Header& header,
                           uint16_t ip_offset, uint32_t now_ms);

  // Expire looks at a few places and frees what has waited too long; called often, it gets round in
  // time. Returns how many datagrams have timed out since it was called last.
  unsigned Expire(uint32_t now_ms);

  // num_held is the number of mbufs here.
  [[nodiscard]] unsigned num_held() const { return num_held_; }

 private:
  // The datagrams between two addresses share a set of ways: who fills it harms himself first.
  static constexpr unsigned kWays = 8;
  static constexpr unsigned kMaxUnknown = 4;  // in a set, of datagrams without a first fragment
  static constexpr unsigned kBlockLen = 8;    // octets; offsets are multiples of it

  enum class State : uint8_t { kFree, kUnknown, kKnown };
  struct Key {
    uint32_t source;
    uint32_t destination;
    uint32_t since_ms;
    uint16_t id;
    State state;
  };
  struct Set {
    std::array<Key, kWays> keys{};
  };
  struct Datagram {
    rte_mbuf* mbuf;
    uint16_t ip_offset;
    uint16_t room;        // octets of payload that fit
    uint16_t total;       // octets of payload; 0: not known yet
    uint16_t highest;     // end of what has come
    uint16_t num_blocks;  // that have come
    std::array<uint64_t, kMaxPayload / kBlockLen / 64> blocks;
  };
  struct Piece {  // a fragment's place
    uint16_t offset;
    uint16_t end;
    bool last;
    [[nodiscard]] unsigned FirstBlock() const { return offset / kBlockLen; }
    [[nodiscard]] unsigned EndBlock() const { return (end + kBlockLen - 1U) / kBlockLen; }
  };

  Datagram& At(size_t set, unsigned way) { return datagrams_[set * kWays + way]; }
  void Free(size_t set, unsigned way);
  void FreeExpired(size_t set, uint32_t now_ms);
  bool MakeRoom(size_t set, bool known, unsigned* way, bool* evicted);
  Result Begin(size_t set, rte_mbuf* fragment, const wire::ip::Ipv4Header& header,
               uint16_t ip_offset, const Piece& piece, uint32_t now_ms);
  static Outcome Mark(Datagram* datagram, const Piece& piece);
  rte_mbuf* Finish(size_t set, unsigned way);

  uint32_t timeout_ms_;
  uint32_t seed_;
  uint32_t last_round_ms_ = 0;
  size_t next_set_ = 0;
  unsigned num_held_ = 0;
  unsigned num_expired_ = 0;
  std::vector<Set> sets_;
  std::vector<Datagram> datagrams_;
};

}  // namespace culvert::dataplane
