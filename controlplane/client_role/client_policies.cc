#include "controlplane/client_role/client_policies.h"

#include <algorithm>

#include "controlplane/ppp/options/lcp_policy.h"

namespace culvert::client_role {

namespace lcp = wire::ppp::lcp;
namespace ipcp = wire::ppp::ipcp;
using ppp::Judgement;
using wire::ppp::Option;
using wire::ppp::OptionList;

void LcpClientPolicy::EmitRequest(OptionList* out) {
  if (ask_mru_) {
    out->AddU16(lcp::kMru, mru_);
  }
  if (ask_magic_) {
    out->AddU32(lcp::kMagicNumber, magic_);
  }
  if (ask_pfc_) {
    out->AddFlag(lcp::kPfc);
  }
  if (ask_acfc_) {
    out->AddFlag(lcp::kAcfc);
  }
}

void LcpClientPolicy::OnNak(const Option& option) {
  if (option.type == lcp::kMru && option.value.size() == 2) {
    mru_ = wire::Reader(option.value).U16();
  } else if (option.type == lcp::kMagicNumber) {
    magic_ = magic_ * 1664525u + 1013904223u;  // another one than before; not a secret
  }
}

void LcpClientPolicy::OnReject(const Option& option) {
  ask_mru_ = ask_mru_ && option.type != lcp::kMru;
  ask_magic_ = ask_magic_ && option.type != lcp::kMagicNumber;
  ask_pfc_ = ask_pfc_ && option.type != lcp::kPfc;
  ask_acfc_ = ask_acfc_ && option.type != lcp::kAcfc;
}

Judgement LcpClientPolicy::Judge(const Option& option, OptionList* naks) {
  switch (option.type) {
    case lcp::kMru:
      return option.value.size() == 2 ? Judgement::kAck : Judgement::kMalformed;
    case lcp::kAccm:
    case lcp::kMagicNumber:
      return option.value.size() == 4 ? Judgement::kAck : Judgement::kMalformed;
    case lcp::kPfc:
    case lcp::kAcfc:
      return option.value.empty() ? Judgement::kAck : Judgement::kMalformed;
    case lcp::kAuthentication: {
      const std::vector<uint8_t> ours = ppp::MethodOption(method_);
      if (std::equal(ours.begin(), ours.end(), option.value.begin(), option.value.end())) {
        return Judgement::kAck;
      }
      naks->Add(lcp::kAuthentication, ours);
      return Judgement::kNak;
    }
    default:
      return Judgement::kReject;
  }
}

void LcpClientPolicy::Accept(const ppp::Options& options) {
  authenticates_ = ppp::Find(options, lcp::kAuthentication) != nullptr;
}

void IpcpClientPolicy::EmitRequest(OptionList* out) {
  out->AddU32(ipcp::kIpAddress, address_);
  if (ask_dns_[0]) {
    out->AddU32(ipcp::kPrimaryDns, dns_[0]);
  }
  if (ask_dns_[1]) {
    out->AddU32(ipcp::kSecondaryDns, dns_[1]);
  }
}

void IpcpClientPolicy::OnNak(const Option& option) {
  if (option.value.size() != 4) {
    return;
  }
  const uint32_t value = wire::Reader(option.value).U32();
  if (option.type == ipcp::kIpAddress) {
    address_ = value;
  } else if (option.type == ipcp::kPrimaryDns) {
    dns_[0] = value;
  } else if (option.type == ipcp::kSecondaryDns) {
    dns_[1] = value;
  }
}

void IpcpClientPolicy::OnReject(const Option& option) {
  if (option.type == ipcp::kIpAddress) {
    Fail("the server gives no address");
  }
  ask_dns_[0] = ask_dns_[0] && option.type != ipcp::kPrimaryDns;
  ask_dns_[1] = ask_dns_[1] && option.type != ipcp::kSecondaryDns;
}

Judgement IpcpClientPolicy::Judge(const Option& option, OptionList* naks) {
  if (option.type != ipcp::kIpAddress) {
    return Judgement::kReject;
  }
  return option.value.size() == 4 ? Judgement::kAck : Judgement::kMalformed;
}

}  // namespace culvert::client_role
