// OrderRunner carries out orders on the live calls: finds them, changes one or ends all that are
// meant. One thread, which the answers of others must be brought to.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/management/call_directory.h"
#include "controlplane/radius/dynamic/order.h"

namespace culvert::radius {

class OrderRunner {
 public:
  // How long a call may take to end before its Disconnect-Request is refused: LCP asks the client.
  static constexpr uint64_t kDisconnectMs = 10'000;

  // Terminate asks calls to end and comes back at once; any thread.
  using Terminate = std::function<void(const std::vector<uint64_t>& ids, std::string reason)>;
  // Done: nullopt: carried out. Of a change: called by any thread, perhaps at once.
  using Done = std::function<void(std::optional<ErrorCause>)>;

  // `directory` outlives the runner.
  OrderRunner(const CallDirectory* directory, ChangeCall change, Terminate terminate);

  void Run(Order order, uint64_t now_ms, Done done);
  // OnTime looks whether calls have ended; true: it should come again soon.
  bool OnTime(uint64_t now_ms);

 private:
  // Ending: RFC 5176 s2.1: ACK when the session is there no more.
  struct Ending {
    std::vector<uint64_t> ids;
    uint64_t deadline_ms;
    Done done;
  };

  const CallDirectory* const directory_;
  const ChangeCall change_;
  const Terminate terminate_;
  std::list<Ending> endings_;
};

// FilterOf is the form of a session's key that the directory knows.
[[nodiscard]] CallFilter FilterOf(const SessionKey& session);

}  // namespace culvert::radius
