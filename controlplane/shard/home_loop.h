// HomeLoop: the loop that runs the calling thread, for those who are asked on a shard's thread and
// must answer on the same one later.
#pragma once

#include <asio/io_context.hpp>

namespace culvert {

class HomeLoop {
 public:
  // OfThisThread is the loop that Enter() named here; only on threads that did.
  static asio::io_context* OfThisThread() { return current_; }
  // Enter: `loop` runs on this thread, and outlives all who may answer to it.
  static void Enter(asio::io_context* loop) { current_ = loop; }

 private:
  inline static thread_local asio::io_context* current_ = nullptr;
};

}  // namespace culvert
