// OutputQueue holds what a control connection has still to write. Messages stay apart, so that
// the writer can give each its own TCP segment: NAT helpers look only at the first message
// of a segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "proto/wire/cursor.h"

namespace culvert::pptp {

class OutputQueue {
 public:
  void Push(std::vector<uint8_t> message) {
    size_ += message.size();
    messages_.push_back(std::move(message));
  }
  // Front borrows what is left of the oldest message; empty when there is none. Valid until
  // Consume() or Clear().
  [[nodiscard]] wire::Octets Front() const {
    return messages_.empty() ? wire::Octets{} : wire::Octets(messages_.front()).subspan(written_);
  }
  // Consume takes `len` octets of Front() away: a write may have been partial.
  void Consume(size_t len) {
    written_ += len;
    size_ -= len;
    if (!messages_.empty() && written_ == messages_.front().size()) {
      messages_.pop_front();
      written_ = 0;
    }
  }
  void Clear() {
    messages_.clear();
    written_ = size_ = 0;
  }
  // size is the octets still to write.
  [[nodiscard]] size_t size() const { return size_; }

 private:
  std::list<std::vector<uint8_t>> messages_;  // mostly empty, and then it takes nothing
  size_t written_ = 0;                        // of the front message
  size_t size_ = 0;
};

}  // namespace culvert::pptp
