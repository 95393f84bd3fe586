#include "controlplane/radius/client/server_choice.h"

#include <algorithm>

namespace culvert::radius {

ServerChoice::ServerChoice(const std::vector<ServerSettings>& servers) {
  for (const ServerSettings& from : servers) {
    servers_.push_back({.priority = from.priority,
                        .weight = std::max<int64_t>(1, from.weight),
                        .dead_time_ms = from.dead_time_ms,
                        .recovery = from.recovery});
  }
}

std::optional<size_t> ServerChoice::Choose(const std::vector<bool>& tried, uint64_t now_ms) {
  std::optional<size_t> best_dead;
  for (size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    if (tried[i] || server.state == State::kUp) {
      continue;
    }
    if (server.state == State::kDead && server.recovery == Recovery::kRequest &&
        server.rest_until_ms <= now_ms) {
      server.state = State::kOnTrial;
      server.rest_until_ms = now_ms + server.dead_time_ms;
      return i;
    }
    if (!best_dead || server.dead_since_ms < servers_[*best_dead].dead_since_ms) {
      best_dead = i;
    }
  }
  const std::optional<size_t> up = ByWeight(tried);
  return up ? up : best_dead;
}

std::optional<size_t> ServerChoice::ByWeight(const std::vector<bool>& tried) {
  uint32_t priority = UINT32_MAX;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (!tried[i] && servers_[i].state == State::kUp) {
      priority = std::min(priority, servers_[i].priority);
    }
  }
  std::optional<size_t> best;
  int64_t total = 0;
  for (size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    if (tried[i] || server.state != State::kUp || server.priority != priority) {
      continue;
    }
    server.credit += server.weight;
    total += server.weight;
    if (!best || server.credit > servers_[*best].credit) {
      best = i;
    }
  }
  if (best) {
    servers_[*best].credit -= total;
  }
  return best;
}

void ServerChoice::OnNotSent(size_t index) {
  Server& server = servers_[index];
  if (server.state == State::kOnTrial) {
    server.state = State::kDead;
    server.rest_until_ms = 0;
  }
}

bool ServerChoice::OnReply(size_t index, uint64_t now_ms) {
  Server& server = servers_[index];
  server.last_reply_ms = now_ms;
  const bool was_dead = server.state != State::kUp;
  server.state = State::kUp;
  return was_dead;
}

bool ServerChoice::OnSilence(size_t index, uint64_t since_ms, uint64_t now_ms) {
  Server& server = servers_[index];
  if (server.last_reply_ms >= since_ms && server.last_reply_ms != 0) {
    return false;
  }
  const bool was_up = server.state == State::kUp;
  if (server.state != State::kDead) {
    server.state = State::kDead;
    server.rest_until_ms = now_ms + server.dead_time_ms;
  }
  if (was_up) {
    server.dead_since_ms = now_ms;
    server.credit = 0;
  }
  return was_up;
}

bool ServerChoice::IsAnyUp(const std::vector<bool>& tried) const {
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (!tried[i] && servers_[i].state == State::kUp) {
      return true;
    }
  }
  return false;
}

std::optional<size_t> ServerChoice::TakeProbe(uint64_t now_ms) {
  for (size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    if (server.state == State::kDead && server.recovery == Recovery::kStatusServer &&
        server.rest_until_ms <= now_ms) {
      server.rest_until_ms = now_ms + std::max<uint64_t>(1, server.dead_time_ms);
      return i;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> ServerChoice::NextProbe() const {
  std::optional<uint64_t> next;
  for (const Server& server : servers_) {
    if (server.state == State::kDead && server.recovery == Recovery::kStatusServer &&
        (!next || server.rest_until_ms < *next)) {
      next = server.rest_until_ms;
    }
  }
  return next;
}

}  // namespace culvert::radius
