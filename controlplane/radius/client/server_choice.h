// ServerChoice knows which servers are up and which one a request goes to. Sans-IO; of one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "controlplane/radius/client/server.h"

namespace culvert::radius {

class ServerChoice {
 public:
  explicit ServerChoice(const std::vector<ServerSettings>& servers);

  // Choose gives a server that is not in `tried`: of those that are up the ones with the lowest
  // priority, by weight; when none is, the dead one that has been dead for longest, since a late
  // answer is better than none. nullopt: all were tried. A dead server on trial
  // (Recovery::kRequest) is given once, as if it were up.
  [[nodiscard]] std::optional<size_t> Choose(const std::vector<bool>& tried, uint64_t now_ms);

  // OnNotSent: nothing went to the server that Choose() gave. If it was on trial, it still is to be
  // tried.
  void OnNotSent(size_t server);
  // OnReply: a valid answer. True: the server was dead until now.
  bool OnReply(size_t server, uint64_t now_ms);
  // OnSilence: a request first sent to it at `since_ms` had no answer to all its transmissions.
  // The server is dead when nothing valid came from it since then. True: it was not before.
  bool OnSilence(size_t server, uint64_t since_ms, uint64_t now_ms);

  [[nodiscard]] bool IsUp(size_t server) const { return servers_[server].state == State::kUp; }
  // IsAnyUp: one that is not in `tried`.
  [[nodiscard]] bool IsAnyUp(const std::vector<bool>& tried) const;

  // TakeProbe gives a dead server that is due for a Status-Server, once per dead time.
  [[nodiscard]] std::optional<size_t> TakeProbe(uint64_t now_ms);
  // NextProbe is when TakeProbe() will give one.
  [[nodiscard]] std::optional<uint64_t> NextProbe() const;

 private:
  enum class State : uint8_t { kUp, kDead, kOnTrial };
  struct Server {
    uint32_t priority = 0;
    int64_t weight = 1;
    uint64_t dead_time_ms = 0;
    Recovery recovery{};
    State state = State::kUp;
    int64_t credit = 0;  // smooth weighted round robin
    uint64_t last_reply_ms = 0;
    uint64_t dead_since_ms = 0;
    uint64_t rest_until_ms = 0;  // while dead: not before the next probe or trial
  };

  [[nodiscard]] std::optional<size_t> ByWeight(const std::vector<bool>& tried);

  std::vector<Server> servers_;
};

}  // namespace culvert::radius
