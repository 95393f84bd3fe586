// CommandStream reads the inputs of the targets that drive a state machine: an octet of up to
// kMaxChunk is the length of a chunk that follows it; a larger one is a command.
#pragma once

#include <algorithm>
#include <cstdint>

#include "proto/wire/cursor.h"

namespace culvert::fuzz {

class CommandStream {
 public:
  static constexpr uint8_t kMaxChunk = 220;
  // Commands from here to kFirstOwn - 1 let time pass, 250 ms a step.
  static constexpr uint8_t kFirstWait = 221;
  static constexpr uint8_t kFirstOwn = 241;

  struct Command {
    uint8_t code = 0;    // up to kMaxChunk: it is a chunk
    wire::Octets chunk;  // borrowed
    [[nodiscard]] bool IsChunk() const { return code <= kMaxChunk; }
    [[nodiscard]] bool IsWait() const { return code >= kFirstWait && code < kFirstOwn; }
    [[nodiscard]] uint64_t wait_ms() const { return (code - kFirstWait + 1u) * 250u; }
  };

  explicit CommandStream(wire::Octets in) : in_(in) {}
  [[nodiscard]] bool AtEnd() const { return in_.empty(); }
  // Next must not be called at the end. The last chunk may be shorter than it says.
  Command Next() {
    Command command{in_[0], {}};
    in_ = in_.subspan(1);
    if (command.IsChunk()) {
      command.chunk = in_.first(std::min<size_t>(command.code, in_.size()));
      in_ = in_.subspan(command.chunk.size());
    }
    return command;
  }

 private:
  wire::Octets in_;
};

}  // namespace culvert::fuzz
