#include "controlplane/ipv6/dhcp_server.h"

#include <algorithm>

namespace culvert::ipv6 {
namespace {

// Exchange is one message and what its answer is made of.
struct Exchange {
  const DhcpMessage& in;
  const LinkSettings& settings;
  const LinkAssignment& assignment;
  std::optional<config::Ipv6Prefix> address;  // of length 128
};

// MayAnswer is RFC 8415 s16.
bool MayAnswer(const Exchange& exchange) {
  const DhcpMessage& in = exchange.in;
  const bool for_us = in.server_id == exchange.settings.server_duid;
  switch (in.type) {
    case DhcpType::kSolicit:
    case DhcpType::kConfirm:
    case DhcpType::kRebind:
      return !in.client_id.empty() && in.server_id.empty();
    case DhcpType::kRequest:
    case DhcpType::kRenew:
    case DhcpType::kRelease:
    case DhcpType::kDecline:
      return !in.client_id.empty() && for_us;
    case DhcpType::kInformationRequest:
      return (in.server_id.empty() || for_us) && in.addresses.empty() && in.prefixes.empty();
    default:
      return false;  // a server's message
  }
}

bool IsPart(const config::Ipv6Prefix& prefix, const DhcpLease& lease) {
  return lease.prefix.length == prefix.length && prefix.Contains(lease.prefix.address);
}

// Lend answers an association with what the call has, if it has it and no other association of the
// message got it before. What else the client believes to have gets lifetimes of 0 (s18.3.4).
DhcpAssociation Lend(const DhcpAssociation& asked, const std::optional<config::Ipv6Prefix>& ours,
                     bool is_first, DhcpStatus none, const Exchange& exchange) {
  DhcpAssociation given;
  given.id = asked.id;
  const bool has = ours && is_first;
  const bool holds = exchange.in.type == DhcpType::kRenew || exchange.in.type == DhcpType::kRebind;
  if (has) {
    const LinkSettings& settings = exchange.settings;
    given.t1_s = settings.preferred_lifetime_s / 2;
    given.t2_s = settings.preferred_lifetime_s / 5 * 4;
    given.leases.push_back({*ours, settings.preferred_lifetime_s, settings.valid_lifetime_s});
  } else {
    given.status = holds ? DhcpStatus::kNoBinding : none;
  }
  for (const DhcpLease& lease : asked.leases) {
    if (holds && !(has && IsPart(*ours, lease))) {
      given.leases.push_back({lease.prefix, 0, 0});
    }
  }
  return given;
}

void LendAll(const Exchange& exchange, DhcpMessage* reply) {
  for (const DhcpAssociation& asked : exchange.in.addresses) {
    reply->addresses.push_back(Lend(asked, exchange.address, reply->addresses.empty(),
                                    DhcpStatus::kNoAddrsAvail, exchange));
  }
  for (const DhcpAssociation& asked : exchange.in.prefixes) {
    reply->prefixes.push_back(Lend(asked, exchange.assignment.delegated_prefix,
                                   reply->prefixes.empty(), DhcpStatus::kNoPrefixAvail, exchange));
  }
}

// TakeBack is for Release and Decline (s18.3.7, s18.3.8): associations that hold nothing of ours
// have no binding.
bool TakeBack(const std::vector<DhcpAssociation>& asked,
              const std::optional<config::Ipv6Prefix>& ours, std::vector<DhcpAssociation>* out) {
  bool any = false;
  for (const DhcpAssociation& association : asked) {
    const bool is_ours =
        ours && std::any_of(association.leases.begin(), association.leases.end(),
                            [&](const DhcpLease& lease) { return IsPart(*ours, lease); });
    any = any || is_ours;
    if (!is_ours) {
      DhcpAssociation& none = out->emplace_back();
      none.id = association.id;
      none.status = DhcpStatus::kNoBinding;
    }
  }
  return any;
}

// Confirm (s18.3.3): are the client's addresses on this link? Nothing to say without any.
std::optional<DhcpStatus> Confirm(const Exchange& exchange) {
  bool any = false;
  bool all = exchange.assignment.prefix.has_value();
  for (const DhcpAssociation& association : exchange.in.addresses) {
    for (const DhcpLease& lease : association.leases) {
      any = true;
      all = all && exchange.assignment.prefix->Contains(lease.prefix.address);
    }
  }
  if (!any) {
    return std::nullopt;
  }
  return all ? DhcpStatus::kSuccess : DhcpStatus::kNotOnLink;
}

void AddDns(const Exchange& exchange, DhcpMessage* reply) {
  const std::vector<uint16_t>& requested = exchange.in.requested;
  if (std::find(requested.begin(), requested.end(), kDhcpOptionDns) == requested.end()) {
    return;
  }
  constexpr size_t kMaxDns = 8;
  reply->dns = exchange.assignment.dns;
  reply->dns.resize(std::min(reply->dns.size(), kMaxDns));
}

DhcpMessage ReplyTo(const Exchange& exchange) {
  DhcpMessage reply;
  reply.type = DhcpType::kReply;
  reply.transaction_id = exchange.in.transaction_id;
  reply.client_id = exchange.in.client_id;
  reply.server_id = exchange.settings.server_duid;
  return reply;
}

DhcpAnswer AnswerLending(const Exchange& exchange) {
  DhcpMessage reply = ReplyTo(exchange);
  LendAll(exchange, &reply);
  AddDns(exchange, &reply);
  const bool delegates =
      !exchange.in.prefixes.empty() && exchange.assignment.delegated_prefix.has_value();
  const std::optional<bool> change = delegates ? std::optional(true) : std::nullopt;
  if (exchange.in.type != DhcpType::kSolicit) {
    return {std::move(reply), change};
  }
  reply.preference = exchange.settings.preference;
  reply.rapid_commit = exchange.in.rapid_commit;
  if (exchange.in.rapid_commit) {
    return {std::move(reply), change};
  }
  reply.type = DhcpType::kAdvertise;
  return {std::move(reply), std::nullopt};
}

DhcpAnswer AnswerGivingBack(const Exchange& exchange) {
  DhcpMessage reply = ReplyTo(exchange);
  reply.status = DhcpStatus::kSuccess;
  TakeBack(exchange.in.addresses, exchange.address, &reply.addresses);
  const bool prefix =
      TakeBack(exchange.in.prefixes, exchange.assignment.delegated_prefix, &reply.prefixes);
  const bool released = prefix && exchange.in.type == DhcpType::kRelease;
  return {std::move(reply), released ? std::optional(false) : std::nullopt};
}

// AnswerUnicast is s18.4.
DhcpAnswer AnswerUnicast(const Exchange& exchange) {
  switch (exchange.in.type) {
    case DhcpType::kRequest:
    case DhcpType::kRenew:
    case DhcpType::kRelease:
    case DhcpType::kDecline: {
      DhcpMessage reply = ReplyTo(exchange);
      reply.status = DhcpStatus::kUseMulticast;
      return {std::move(reply), std::nullopt};
    }
    default:
      return {};
  }
}

}  // namespace

DhcpAnswer AnswerDhcp(const DhcpMessage& message, bool unicast, const LinkSettings& settings,
                      const LinkAssignment& assignment, uint64_t interface_id) {
  Exchange exchange{message, settings, assignment, std::nullopt};
  if (assignment.prefix) {
    exchange.address = {.address = AddressIn(*assignment.prefix, interface_id), .length = 128};
  }
  if (!MayAnswer(exchange)) {
    return {};
  }
  if (unicast) {
    return AnswerUnicast(exchange);
  }
  switch (message.type) {
    case DhcpType::kSolicit:
    case DhcpType::kRequest:
    case DhcpType::kRenew:
    case DhcpType::kRebind:
      return AnswerLending(exchange);
    case DhcpType::kRelease:
    case DhcpType::kDecline:
      return AnswerGivingBack(exchange);
    case DhcpType::kConfirm: {
      const std::optional<DhcpStatus> status = Confirm(exchange);
      if (!status) {
        return {};
      }
      DhcpMessage reply = ReplyTo(exchange);
      reply.status = status;
      return {std::move(reply), std::nullopt};
    }
    default: {
      DhcpMessage reply = ReplyTo(exchange);
      AddDns(exchange, &reply);
      return {std::move(reply), std::nullopt};
    }
  }
}

}  // namespace culvert::ipv6
