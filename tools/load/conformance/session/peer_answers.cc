// How the peer answers the server's Configure-Requests.
#include "tools/load/conformance/session/peer.h"

namespace culvert::load::conformance {

namespace wp = wire::ppp;

namespace {

struct Wanted {
  uint16_t protocol;
  uint8_t algorithm;  // 0: none
};

Wanted WantedOf(AuthMethod method) {
  switch (method) {
    case AuthMethod::kPap:
      return {wp::kPap, 0};
    case AuthMethod::kChapMd5:
      return {wp::kChap, 5};
    case AuthMethod::kMsChap:
      return {wp::kChap, 0x80};
    case AuthMethod::kMsChapV2:
      return {wp::kChap, 0x81};
    case AuthMethod::kEap:
      return {wp::kEap, 0};
  }
  return {};
}

}  // namespace

void Peer::AnswerLcp(const PppPacket& packet) {
  const auto options = wp::ParseOptions(packet.data);
  if (!options) {
    return;
  }
  wp::OptionList rejects, naks;
  for (const wp::Option& option : *options) {
    switch (option.type) {
      case wp::lcp::kMru:
      case wp::lcp::kAccm:
      case wp::lcp::kMagicNumber:
      case wp::lcp::kPfc:
      case wp::lcp::kAcfc:
        break;
      case wp::lcp::kAuthentication:
        if (method) {
          const Wanted wanted = WantedOf(*method);
          if (wanted.protocol != offered_protocol || wanted.algorithm != offered_algorithm) {
            std::vector<uint8_t> value = {static_cast<uint8_t>(wanted.protocol >> 8),
                                          static_cast<uint8_t>(wanted.protocol)};
            if (wanted.algorithm != 0) {
              value.push_back(wanted.algorithm);
            }
            naks.Add(option.type, value);
          }
        }
        break;
      default:
        rejects.Add(option.type, option.value);
    }
  }
  if (!rejects.empty()) {
    return SendControl(wp::kLcp, wp::kConfigureReject, packet.identifier, rejects.octets());
  }
  if (!naks.empty()) {
    return SendControl(wp::kLcp, wp::kConfigureNak, packet.identifier, naks.octets());
  }
  lcp.theirs_acked = true;
  SendControl(wp::kLcp, wp::kConfigureAck, packet.identifier, packet.data);
}

void Peer::AnswerCcp(const PppPacket& packet) {
  if (mppe_bits == 0) {
    std::vector<uint8_t> rejected = {0x80, 0xfd};
    rejected.insert(rejected.end(), packet.information.begin(), packet.information.end());
    return SendControl(wp::kLcp, wp::kProtocolReject, NextIdentifier(), rejected);
  }
  const auto options = wp::ParseOptions(packet.data);
  if (!options) {
    return;
  }
  wp::OptionList rejects, naks;
  bool has_mppe = false;
  for (const wp::Option& option : *options) {
    if (option.type != wp::ccp::kMppe || option.value.size() != 4) {
      rejects.Add(option.type, option.value);
      continue;
    }
    has_mppe = true;
    if (wire::LoadBe32(option.value.data()) != mppe_bits) {
      naks.AddU32(wp::ccp::kMppe, mppe_bits);
    }
  }
  if (!rejects.empty()) {
    return SendControl(wp::kCcp, wp::kConfigureReject, packet.identifier, rejects.octets());
  }
  if (!has_mppe) {
    naks.AddU32(wp::ccp::kMppe, mppe_bits);
  }
  if (!naks.empty()) {
    return SendControl(wp::kCcp, wp::kConfigureNak, packet.identifier, naks.octets());
  }
  ccp.theirs_acked = true;
  SendControl(wp::kCcp, wp::kConfigureAck, packet.identifier, packet.data);
}

void Peer::AnswerIpcp(const PppPacket& packet) {
  const auto options = wp::ParseOptions(packet.data);
  if (!options) {
    return;
  }
  wp::OptionList rejects;
  for (const wp::Option& option : *options) {
    if (option.type != wp::ipcp::kIpAddress) {
      rejects.Add(option.type, option.value);  // VJ above all
    }
  }
  if (!rejects.empty()) {
    return SendControl(wp::kIpcp, wp::kConfigureReject, packet.identifier, rejects.octets());
  }
  ipcp.theirs_acked = true;
  SendControl(wp::kIpcp, wp::kConfigureAck, packet.identifier, packet.data);
}

}  // namespace culvert::load::conformance
