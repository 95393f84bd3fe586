// Engine: the keys and the RC4 of MPPE for a whole burst at once. RC4 is a chain of dependent
// memory accesses; only several keystreams side by side keep a core busy.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/mppe/rc4.h"
#include "dataplane/mppe/session_key.h"

namespace culvert::dataplane::mppe {

constexpr uint16_t kNoPredecessor = 0xffff;

// StatelessJob: a packet with a key of its own (RFC 3078 s7.1). Encryption and decryption are the
// same.
struct StatelessJob {
  const Key* start_key;
  Key key;        // in: the session key to begin from; out: the packet's key
  uint8_t* text;  // crypted in place; may be null with len 0: the key only
  uint32_t
      changes;  // key changes from the key to begin from to the packet's; 0: it is the packet's
  uint16_t len;
  uint16_t bits;  // 40, 56 or 128
  uint16_t
      predecessor;  // an earlier job of the same Run, whose out key is this one's in key, or none
};

// StatefulJob: a packet that goes on in its call's keystream (RFC 3078 s7.2).
struct StatefulJob {
  Rc4Table* table;  // several jobs of one table are done in their order
  uint8_t* text;    // crypted in place
  uint16_t len;
  uint16_t key_len;  // 0: go on; else the table is scheduled anew from `key` before this packet
  Key key;
};

// One per worker: it belongs to one thread. Nothing is allocated after Create. No octet outside of
// [text, text + len) is written or read. Texts must not overlap; a Run is over when it returns.
class Engine {
 public:
  static constexpr size_t kMaxJobs = 256;  // of one Run
  enum class Kind { kBest, kPortable };    // kPortable: nothing beyond what every x86-64 has

  // Create gives nullptr when ipsec-mb cannot run on this processor.
  static std::unique_ptr<Engine> Create(Kind kind = Kind::kBest);
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  virtual void Run(std::span<StatelessJob> jobs) = 0;
  virtual void Run(std::span<StatefulJob> jobs) = 0;

  // Advance makes `changes` key changes one after the other, about 0.5 us each: what a late packet
  // needs is to be cut into slices.
  virtual void Advance(const Key& start_key, uint16_t bits, uint32_t changes, Key* key) = 0;

 protected:
  Engine() = default;
};

}  // namespace culvert::dataplane::mppe
