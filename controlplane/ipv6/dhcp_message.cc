#include "controlplane/ipv6/dhcp_message.h"

#include "controlplane/ipv6/octet_writer.h"
#include "proto/wire/byte_order.h"

namespace culvert::ipv6 {
namespace {

using config::Ipv6Address;
using wire::Octets;
using wire::Reader;

enum Option : uint16_t {  // RFC 8415 s21
  kClientId = 1,
  kServerId = 2,
  kIaNa = 3,
  kIaAddress = 5,
  kRequestedOptions = 6,
  kPreference = 7,
  kStatusCode = 13,
  kRapidCommit = 14,
  kIaPd = 25,
  kIaPrefix = 26,
};

constexpr size_t kMaxDuidLen = 130;
constexpr size_t kMaxItems = 8;
constexpr size_t kMaxRequested = 64;

using Result = tl::expected<void, DhcpError>;
Result Fail(DhcpError error) { return tl::unexpected(error); }

// ForEachOption calls `take` with the type and the value of each option.
template <typename Take>
Result ForEachOption(Octets options, Take take) {
  Reader in(options);
  while (in.remaining() > 0) {
    const uint16_t type = in.U16();
    const uint16_t len = in.U16();
    const Octets value = in.Bytes(len);
    if (!in.ok()) {
      return Fail(DhcpError::kBadOption);
    }
    if (Result taken = take(type, value); !taken) {
      return taken;
    }
  }
  return {};
}

Result TakeStatus(Octets value, std::optional<DhcpStatus>* status) {
  Reader in(value);
  const uint16_t code = in.U16();  // the text after it is for people
  if (!in.ok()) {
    return Fail(DhcpError::kBadOption);
  }
  *status = static_cast<DhcpStatus>(code);
  return {};
}

Result TakeLease(bool is_prefix, Octets value, DhcpAssociation* association) {
  Reader in(value);
  DhcpLease lease;
  if (!is_prefix) {
    in.CopyTo(lease.prefix.address);
    lease.prefix.length = 128;
  }
  lease.preferred_s = in.U32();
  lease.valid_s = in.U32();
  if (is_prefix) {
    lease.prefix.length = in.U8();
    in.CopyTo(lease.prefix.address);
  }
  if (!in.ok() || lease.prefix.length > 128) {
    return Fail(DhcpError::kBadOption);
  }
  if (association->leases.size() >= kMaxItems) {
    return Fail(DhcpError::kTooMany);
  }
  association->leases.push_back(lease);
  return ForEachOption(in.rest(), [](uint16_t, Octets) { return Result{}; });
}

Result TakeAssociation(bool is_pd, Octets value, std::vector<DhcpAssociation>* out) {
  Reader in(value);
  DhcpAssociation association;
  association.id = in.U32();
  association.t1_s = in.U32();
  association.t2_s = in.U32();
  if (!in.ok()) {
    return Fail(DhcpError::kBadOption);
  }
  if (out->size() >= kMaxItems) {
    return Fail(DhcpError::kTooMany);
  }
  Result taken = ForEachOption(in.rest(), [&](uint16_t type, Octets inner) {
    if (type == (is_pd ? kIaPrefix : kIaAddress)) {
      return TakeLease(is_pd, inner, &association);
    }
    return type == kStatusCode ? TakeStatus(inner, &association.status) : Result{};
  });
  if (taken) {
    out->push_back(std::move(association));
  }
  return taken;
}

Result TakeDuid(Octets value, std::vector<uint8_t>* duid) {
  if (value.empty() || value.size() > kMaxDuidLen) {
    return Fail(DhcpError::kBadDuid);
  }
  if (!duid->empty()) {
    return Fail(DhcpError::kRepeated);
  }
  duid->assign(value.begin(), value.end());
  return {};
}

Result TakeRequested(Octets value, std::vector<uint16_t>* requested) {
  if (value.size() % 2 != 0) {
    return Fail(DhcpError::kBadOption);
  }
  if (value.size() / 2 + requested->size() > kMaxRequested) {
    return Fail(DhcpError::kTooMany);
  }
  Reader in(value);
  while (in.remaining() > 0) {
    requested->push_back(in.U16());
  }
  return {};
}

Result TakeDns(Octets value, std::vector<Ipv6Address>* dns) {
  constexpr size_t kLen = sizeof(Ipv6Address);
  if (value.size() % kLen != 0) {
    return Fail(DhcpError::kBadOption);
  }
  if (value.size() / kLen + dns->size() > kMaxItems) {
    return Fail(DhcpError::kTooMany);
  }
  Reader in(value);
  while (in.remaining() > 0) {
    in.CopyTo(dns->emplace_back());
  }
  return {};
}

Result TakeOption(uint16_t type, Octets value, DhcpMessage* message) {
  switch (type) {
    case kClientId:
      return TakeDuid(value, &message->client_id);
    case kServerId:
      return TakeDuid(value, &message->server_id);
    case kIaNa:
      return TakeAssociation(false, value, &message->addresses);
    case kIaPd:
      return TakeAssociation(true, value, &message->prefixes);
    case kRequestedOptions:
      return TakeRequested(value, &message->requested);
    case kDhcpOptionDns:
      return TakeDns(value, &message->dns);
    case kStatusCode:
      return TakeStatus(value, &message->status);
    case kPreference:
      if (value.size() != 1) {
        return Fail(DhcpError::kBadOption);
      }
      message->preference = value[0];
      return {};
    case kRapidCommit:
      message->rapid_commit = true;
      return value.empty() ? Result{} : Fail(DhcpError::kBadOption);
    default:
      return {};
  }
}

// OptionWriter nests options: the length of each is filled in when it is complete.
class OptionWriter : public OctetWriter {
 public:
  template <typename Body>
  void Add(uint16_t type, Body body) {
    U16(type);
    U16(0);
    const size_t at = size();
    body();
    PatchU16(at - 2, static_cast<uint16_t>(size() - at));
  }
};

void AddStatus(const std::optional<DhcpStatus>& status, OptionWriter* out) {
  if (status) {
    out->Add(kStatusCode, [&] { out->U16(static_cast<uint16_t>(*status)); });
  }
}

void AddLease(bool is_prefix, const DhcpLease& lease, OptionWriter* out) {
  out->Add(is_prefix ? kIaPrefix : kIaAddress, [&] {
    if (!is_prefix) {
      out->Bytes(lease.prefix.address);
    }
    out->U32(lease.preferred_s);
    out->U32(lease.valid_s);
    if (is_prefix) {
      out->U8(lease.prefix.length);
      out->Bytes(lease.prefix.address);
    }
  });
}

void AddAssociation(bool is_pd, const DhcpAssociation& association, OptionWriter* out) {
  out->Add(is_pd ? kIaPd : kIaNa, [&] {
    out->U32(association.id);
    out->U32(association.t1_s);
    out->U32(association.t2_s);
    for (const DhcpLease& lease : association.leases) {
      AddLease(is_pd, lease, out);
    }
    AddStatus(association.status, out);
  });
}

void AddLists(const DhcpMessage& message, OptionWriter* out) {
  if (!message.requested.empty()) {
    out->Add(kRequestedOptions, [&] {
      for (const uint16_t option : message.requested) {
        out->U16(option);
      }
    });
  }
  if (!message.dns.empty()) {
    out->Add(kDhcpOptionDns, [&] {
      for (const Ipv6Address& address : message.dns) {
        out->Bytes(address);
      }
    });
  }
}

}  // namespace

tl::expected<DhcpMessage, DhcpError> ParseDhcp(Octets in) {
  constexpr size_t kHeaderLen = 4;
  if (in.size() < kHeaderLen) {
    return tl::unexpected(DhcpError::kTruncated);
  }
  const uint32_t word = wire::LoadBe32(in.data());
  const uint32_t type = word >> 24;
  if (type < static_cast<uint32_t>(DhcpType::kSolicit) ||
      type > static_cast<uint32_t>(DhcpType::kInformationRequest)) {
    return tl::unexpected(DhcpError::kBadType);
  }
  DhcpMessage message;
  message.type = static_cast<DhcpType>(type);
  message.transaction_id = word & 0xffffff;
  const Result taken = ForEachOption(in.subspan(kHeaderLen), [&](uint16_t option, Octets value) {
    return TakeOption(option, value, &message);
  });
  if (!taken) {
    return tl::unexpected(taken.error());
  }
  return message;
}

std::vector<uint8_t> EmitDhcp(const DhcpMessage& message) {
  OptionWriter out;
  out.U32(static_cast<uint32_t>(message.type) << 24 | (message.transaction_id & 0xffffff));
  if (!message.client_id.empty()) {
    out.Add(kClientId, [&] { out.Bytes(message.client_id); });
  }
  if (!message.server_id.empty()) {
    out.Add(kServerId, [&] { out.Bytes(message.server_id); });
  }
  for (const DhcpAssociation& association : message.addresses) {
    AddAssociation(false, association, &out);
  }
  for (const DhcpAssociation& association : message.prefixes) {
    AddAssociation(true, association, &out);
  }
  AddLists(message, &out);
  if (message.preference) {
    out.Add(kPreference, [&] { out.U8(*message.preference); });
  }
  AddStatus(message.status, &out);
  if (message.rapid_commit) {
    out.Add(kRapidCommit, [] {});
  }
  return out.Take();
}

}  // namespace culvert::ipv6
