#include "tools/culvertctl/call_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

using management::v1::Call;
using management::v1::CallEvent;

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

// CutTo keeps whole UTF-8 characters.
std::string CutTo(std::string line, size_t columns) {
  size_t width = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if ((static_cast<unsigned char>(line[i]) & 0xc0) == 0x80) continue;
    if (width++ == columns) {
      line.resize(i);
      break;
    }
  }
  return line;
}

}  // namespace

std::vector<std::string> CallTable(std::vector<Call> calls) {
  std::sort(calls.begin(), calls.end(), [](const Call& a, const Call& b) {
    return std::make_tuple(a.started().seconds(), a.started().nanos(), a.id()) <
           std::make_tuple(b.started().seconds(), b.started().nanos(), b.id());
  });
  constexpr auto kRight = Table::Align::kRight;
  Table table({{"ID"},
               {"USER"},
               {"PEER"},
               {"CLIENT"},
               {"STATE"},
               {"AUTH"},
               {"MPPE"},
               {"UPTIME", kRight},
               {"UPSTREAM", kRight},
               {"DOWNSTREAM", kRight},
               {"UP RATE", kRight},
               {"DOWN RATE", kRight},
               {"DROPS", kRight}});
  for (const Call& call : calls) {
    table.AddRow({call.id(), OrDash(call.user()), call.peer_address(),
                  OrDash(call.client_address()), call.state(), OrDash(call.auth()), call.mppe(),
                  FormatDuration(call.uptime()), FormatOctets(call.upstream_octets()),
                  FormatOctets(call.downstream_octets()), FormatRate(call.upstream_bps()),
                  FormatRate(call.downstream_bps()), std::to_string(call.drops())});
  }
  return table.Lines();
}

std::vector<std::string> CallDetails(const Call& call) {
  std::vector<std::string> lines;
  const auto add = [&](const char* name, const std::string& value) {
    lines.push_back(fmt::format("{:<15} {}", name, OrDash(value)));
  };
  add("id", call.id());
  add("state", call.state());
  add("user", call.user());
  add("peer address", call.peer_address());
  add("local address", call.local_address());
  add("call id", fmt::format("{} (peer's: {})", call.call_id(), call.peer_call_id()));
  add("client address", call.client_address());
  if (!call.ipv6_link_local().empty()) {
    add("IPv6 link", call.ipv6_link_local());
    add("IPv6 prefix", call.ipv6_prefix());
    add("IPv6 delegated", call.ipv6_delegated_prefix());
  }
  add("authentication", call.auth());
  add("MPPE", call.mppe());
  if (!call.filter().empty()) add("filter", call.filter());
  add("started",
      fmt::format("{} ({} ago)", FormatTime(call.started()), FormatDuration(call.uptime())));
  add("upstream",
      fmt::format("{} packets, {}, {}", call.upstream_packets(),
                  FormatOctets(call.upstream_octets()), FormatRate(call.upstream_bps())));
  add("downstream",
      fmt::format("{} packets, {}, {}", call.downstream_packets(),
                  FormatOctets(call.downstream_octets()), FormatRate(call.downstream_bps())));
  add("drops", std::to_string(call.drops()));
  return lines;
}

std::string EventLine(const CallEvent& event) {
  const Call& call = event.call();
  std::string line =
      fmt::format("{} {:<13}", FormatTime(event.time()), CallEvent::Kind_Name(event.kind()));
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) line += fmt::format(" {}={}", name, value);
  };
  if (event.has_call()) {
    add("id", call.id());
    add("user", call.user());
    add("peer", call.peer_address());
    add("client", call.client_address());
    add("auth", call.auth());
    if (call.mppe() != "none") add("mppe", call.mppe());
    add("filter", call.filter());
  }
  if (event.kind() == CallEvent::COUNTERS || event.kind() == CallEvent::DOWN) {
    add("upstream", std::to_string(call.upstream_octets()));
    add("downstream", std::to_string(call.downstream_octets()));
  }
  if (event.kind() == CallEvent::COUNTERS) {
    add("upstream_bps", std::to_string(call.upstream_bps()));
    add("downstream_bps", std::to_string(call.downstream_bps()));
  }
  if (!call.end_reason().empty()) add("reason", fmt::format("\"{}\"", call.end_reason()));
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

void LiveCalls::OnEvent(const CallEvent& event) {
  switch (event.kind()) {
    case CallEvent::SNAPSHOT_END:
      complete_ = true;
      break;
    case CallEvent::DOWN:
      calls_.erase(event.call().id());
      break;
    default:
      calls_[event.call().id()] = event.call();
  }
}

std::vector<std::string> LiveCalls::Screen(size_t rows, size_t columns) const {
  std::vector<Call> calls;
  uint64_t upstream_bps = 0, downstream_bps = 0, open = 0;
  for (const auto& [id, call] : calls_) {
    upstream_bps += call.upstream_bps();
    downstream_bps += call.downstream_bps();
    open += call.state() == "open" ? 1 : 0;
    calls.push_back(call);
  }
  std::vector<std::string> lines = {
      fmt::format("{} calls, {} open; {} upstream, {} downstream", calls.size(), open,
                  FormatRate(upstream_bps), FormatRate(downstream_bps)),
      ""};
  for (std::string& line : CallTable(std::move(calls))) lines.push_back(std::move(line));
  if (rows > 3 && lines.size() > rows) {
    const size_t hidden = lines.size() - (rows - 1);
    lines.resize(rows - 1);
    lines.push_back(fmt::format("... and {} more", hidden));
  }
  if (columns > 0) {
    for (std::string& line : lines) line = CutTo(std::move(line), columns);
  }
  return lines;
}

}  // namespace culvert::ctl
