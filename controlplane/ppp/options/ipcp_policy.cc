#include "controlplane/ppp/options/ipcp_policy.h"

namespace culvert::ppp {

namespace ipcp = wire::ppp::ipcp;
using wire::ppp::Option;
using wire::ppp::OptionList;

namespace {

std::optional<uint32_t> At(const std::vector<uint32_t>& addresses, size_t index) {
  return index < addresses.size() ? std::optional(addresses[index]) : std::nullopt;
}

}  // namespace

void IpcpPolicy::EmitRequest(OptionList* out) {
  if (tell_address_) {
    out->AddU32(ipcp::kIpAddress, gateway_address_);
  }
}

void IpcpPolicy::OnReject(const Option& option) {
  tell_address_ = tell_address_ && option.type != ipcp::kIpAddress;
}

std::optional<uint32_t> IpcpPolicy::Offer(uint8_t type) const {
  switch (type) {
    case ipcp::kIpAddress:
      return client_address_;
    case ipcp::kPrimaryDns:
      return At(terms_.dns, 0);
    case ipcp::kSecondaryDns:
      return At(terms_.dns, 1);
    case ipcp::kPrimaryNbns:
      return At(terms_.wins, 0);
    case ipcp::kSecondaryNbns:
      return At(terms_.wins, 1);
    default:
      return std::nullopt;  // IP-Addresses, VJ compression, Mobile-IPv4, netmask, ...
  }
}

Judgement IpcpPolicy::Judge(const Option& option, OptionList* naks) {
  const bool is_address = option.type == ipcp::kIpAddress ||
                          (option.type >= ipcp::kPrimaryDns && option.type <= ipcp::kSecondaryNbns);
  if (is_address && option.value.size() != 4) {
    return Judgement::kMalformed;
  }
  const std::optional<uint32_t> offer = Offer(option.type);
  if (!offer) {
    return Judgement::kReject;
  }
  if (wire::Reader(option.value).U32() == *offer) {
    return Judgement::kAck;
  }
  naks->AddU32(option.type, *offer);
  return Judgement::kNak;
}

void IpcpPolicy::AddMissing(const Options& options, OptionList* naks) {
  if (Find(options, ipcp::kIpAddress) == nullptr) {
    naks->AddU32(ipcp::kIpAddress, client_address_);
  }
}

}  // namespace culvert::ppp
