// CallIpv6 is the IPv6 side of a call: while IPV6CP is open it has a router's end of the link, and
// says what the data plane is to know of it. Of the call's shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "controlplane/aaa/grants.h"
#include "controlplane/ipv6/link.h"
#include "controlplane/ppp/call.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert {

class CallIpv6 {
 public:
  using Frames = std::vector<ppp::SendFrame>;

  // Up: IPV6CP has opened. `settings` is not null; `counters` outlives the call.
  void Up(const ppp::Ipv6Up& up, std::shared_ptr<const ipv6::LinkSettings> settings,
          const Lease& lease, const Ipv6Grants& grants, ipv6::LinkCounters* counters,
          uint64_t now_ms);
  void Down();
  // OnPacket and OnTimer give frames to send, after TakeChange() was looked at.
  [[nodiscard]] Frames OnPacket(wire::Octets packet, uint64_t now_ms);
  [[nodiscard]] Frames OnTimer(uint64_t now_ms);
  // deadline_ms: when OnTimer() is due; nullopt: never.
  [[nodiscard]] std::optional<uint64_t> deadline_ms() const;
  // TakeChange: the data plane is to be programmed again before anything is sent.
  [[nodiscard]] bool TakeChange() { return std::exchange(changed_, false); }

  // delegates: the client has the delegated prefix of its lease.
  [[nodiscard]] bool delegates() const { return delegates_; }
  // Fill adds the call's IPv6 to its configuration; nothing without an interface identifier. Gives
  // how many routes found no place: the delegated prefix always has one.
  size_t Fill(uint64_t interface_id, const Lease& lease, const Ipv6Grants& grants,
              dataplane::v1::CallConfig* config) const;

 private:
  Frames Settle(const ipv6::Link::Packets& packets);

  std::unique_ptr<ipv6::Link> link_;  // null: IPV6CP is not open
  bool delegates_ = false;
  bool changed_ = false;
};

}  // namespace culvert
