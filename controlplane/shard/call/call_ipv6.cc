#include "controlplane/shard/call/call_ipv6.h"

#include <utility>

#include "controlplane/shard/call/call_terms.h"
#include "proto/wire/ppp.h"

namespace culvert {
namespace {

void SetPrefix(const config::Ipv6Prefix& from, dataplane::v1::Prefix* to) {
  to->set_address(from.address.data(), from.address.size());
  to->set_length(from.length);
}

ppp::SendFrame FrameOf(const std::vector<uint8_t>& packet) {
  std::vector<uint8_t> frame = {0, wire::ppp::kIpv6};
  frame.insert(frame.end(), packet.begin(), packet.end());
  return {std::move(frame)};
}

}  // namespace

void CallIpv6::Up(const ppp::Ipv6Up& up, std::shared_ptr<const ipv6::LinkSettings> settings,
                  const Lease& lease, const Ipv6Grants& grants, ipv6::LinkCounters* counters,
                  uint64_t now_ms) {
  ipv6::LinkAssignment assignment{.prefix = lease.prefix,
                                  .delegated_prefix = lease.delegated_prefix,
                                  .dns = grants.dns.empty() ? settings->dns : grants.dns};
  link_ = std::make_unique<ipv6::Link>(std::move(settings), std::move(assignment), up.gateway_id,
                                       up.client_id, counters, now_ms);
}

// The data plane is programmed anyway: it must forget the interface identifier.
void CallIpv6::Down() {
  link_.reset();
  delegates_ = false;
}

CallIpv6::Frames CallIpv6::OnPacket(wire::Octets packet, uint64_t now_ms) {
  return link_ != nullptr ? Settle(link_->OnPacket(packet, now_ms)) : Frames();
}

CallIpv6::Frames CallIpv6::OnTimer(uint64_t now_ms) {
  return link_ != nullptr ? Settle(link_->OnTimer(now_ms)) : Frames();
}

CallIpv6::Frames CallIpv6::Settle(const ipv6::Link::Packets& packets) {
  if (link_->delegates() != delegates_) {
    delegates_ = link_->delegates();
    changed_ = true;
  }
  Frames frames;
  for (const std::vector<uint8_t>& packet : packets) {
    frames.push_back(FrameOf(packet));
  }
  return frames;
}

std::optional<uint64_t> CallIpv6::deadline_ms() const {
  return link_ != nullptr ? std::optional(link_->deadline_ms()) : std::nullopt;
}

size_t CallIpv6::Fill(uint64_t interface_id, const Lease& lease, const Ipv6Grants& grants,
                      dataplane::v1::CallConfig* config) const {
  if (interface_id == 0) {
    return 0;
  }
  config->mutable_ipv6()->set_interface_id(interface_id);
  if (lease.prefix) {
    SetPrefix(*lease.prefix, config->mutable_ipv6()->mutable_prefix());
  }
  size_t left_out = 0;
  if (delegates_ && lease.delegated_prefix) {
    if (config->routes_size() >= kMaxRoutes) {  // DHCPv6 has promised this one
      config->mutable_routes()->RemoveLast();
      ++left_out;
    }
    SetPrefix(*lease.delegated_prefix, config->add_routes());
  }
  for (const config::Ipv6Prefix& route : grants.routes) {
    if (config->routes_size() >= kMaxRoutes) {
      ++left_out;
    } else {
      SetPrefix(route, config->add_routes());
    }
  }
  return left_out;
}

}  // namespace culvert
