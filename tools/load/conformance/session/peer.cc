#include "tools/load/conformance/session/peer.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace culvert::load::conformance {

namespace wp = wire::ppp;

namespace {

constexpr uint64_t kRepeatMs = 1000;

std::string_view NameOf(uint16_t protocol) {
  switch (protocol) {
    case wp::kIpv4:
      return "IPv4";
    case wp::kIpv6:
      return "IPv6";
    case wp::kMppe:
      return "MPPE";
    case wp::kIpcp:
      return "IPCP";
    case wp::kIpv6cp:
      return "IPV6CP";
    case wp::kCcp:
      return "CCP";
    case wp::kLcp:
      return "LCP";
    case wp::kPap:
      return "PAP";
    case wp::kChap:
      return "CHAP";
    case wp::kEap:
      return "EAP";
    default:
      return "";
  }
}

std::string_view NameOfCode(uint16_t protocol, uint8_t code) {
  static constexpr std::string_view kConfigure[] = {"",
                                                    "Configure-Request",
                                                    "Configure-Ack",
                                                    "Configure-Nak",
                                                    "Configure-Reject",
                                                    "Terminate-Request",
                                                    "Terminate-Ack",
                                                    "Code-Reject",
                                                    "Protocol-Reject",
                                                    "Echo-Request",
                                                    "Echo-Reply",
                                                    "Discard-Request",
                                                    "Identification",
                                                    "Time-Remaining",
                                                    "Reset-Request",
                                                    "Reset-Ack"};
  static constexpr std::string_view kChap[] = {"", "Challenge", "Response", "Success", "Failure"};
  static constexpr std::string_view kPap[] = {"", "Request", "Ack", "Nak"};
  static constexpr std::string_view kEap[] = {"", "Request", "Response", "Success", "Failure"};
  std::span<const std::string_view> names = kConfigure;
  if (protocol == wp::kChap) {
    names = kChap;
  } else if (protocol == wp::kPap) {
    names = kPap;
  } else if (protocol == wp::kEap) {
    names = kEap;
  }
  return code < names.size() ? names[code] : "";
}

PppPacket Decode(const wp::Frame& frame) {
  PppPacket out;
  out.protocol = frame.protocol;
  out.information.assign(frame.information.begin(), frame.information.end());
  if (frame.protocol >= 0x8000) {
    if (const auto control = wp::ParseControl(frame.information)) {
      out.code = control->code;
      out.identifier = control->identifier;
      out.data.assign(control->data.begin(), control->data.end());
    }
  }
  return out;
}

}  // namespace

std::string Describe(const PppPacket& packet) {
  std::string out(NameOf(packet.protocol));
  if (out.empty()) {
    out = fmt::format("{:04x}", packet.protocol);
  }
  if (packet.protocol < 0x8000) {
    return out;
  }
  const std::string_view code = NameOfCode(packet.protocol, packet.code);
  return code.empty() ? fmt::format("{} code {}", out, packet.code)
                      : fmt::format("{} {}", out, code);
}

Peer::Peer(const Target* target, Tunnel* tunnel) : target_(target), tunnel_(tunnel) {
  user = target->user;
  password = target->password;
  std::random_device random;
  magic = random() | 1;
  identifier_ = static_cast<uint8_t>(random());
  lcp.options = {wp::lcp::kMagicNumber, 6, 0, 0, 0, 0};
  wire::StoreBe32(&lcp.options[2], magic);
  ipcp.options = {wp::ipcp::kIpAddress, 6, 0, 0, 0, 0};
  ipv6cp.options = {1, 10, 0, 0, 0, 0, 0, 0, 0, 0x42};
}

void Peer::Reset() {
  for (Layer* layer : {&lcp, &ccp, &ipcp, &ipv6cp}) {
    layer->active = layer->ours_acked = layer->theirs_acked = layer->rejected = false;
  }
  heard_.clear();
  mark = 0;
  offered_protocol = offered_algorithm = 0;
  authenticated = proof_ok = changed_password = terminated = false;
  refusal.reset();
  send_mppe.reset();
  receive_mppe.reset();
}

Layer* Peer::Find(uint16_t protocol) {
  for (Layer* layer : {&lcp, &ccp, &ipcp, &ipv6cp}) {
    if (layer->protocol == protocol) {
      return layer;
    }
  }
  return nullptr;
}

void Peer::Send(Octets frame) {
  std::vector<uint8_t> whole = {0xff, 0x03};
  whole.insert(whole.end(), frame.begin(), frame.end());
  tunnel_->Send(whole);
}

void Peer::SendControl(uint16_t protocol, uint8_t code, uint8_t identifier, Octets data) {
  Send(wp::EmitControl(protocol, code, identifier, data));
}

void Peer::Request(Layer* layer) {
  layer->active = true;
  layer->ours_acked = false;
  layer->identifier = NextIdentifier();
  layer->sent_ms = now_ms_;
  SendControl(layer->protocol, wp::kConfigureRequest, layer->identifier, layer->options);
}

void Peer::SendData(Octets packet, uint16_t protocol) {
  std::vector<uint8_t> inner = {static_cast<uint8_t>(protocol >> 8),
                                static_cast<uint8_t>(protocol)};
  inner.insert(inner.end(), packet.begin(), packet.end());
  if (send_mppe) {
    return SendMppe(send_mppe->Encrypt(inner));
  }
  Send(inner);
}

void Peer::SendMppe(Octets header_and_ciphertext) {
  std::vector<uint8_t> frame = {0x00, 0xfd};
  frame.insert(frame.end(), header_and_ciphertext.begin(), header_and_ciphertext.end());
  Send(frame);
}

void Peer::OnPacket(const GrePacket& packet, uint64_t now_ms) {
  now_ms_ = now_ms;
  if (!packet.header.has_sequence || packet.payload.empty()) {
    return;
  }
  auto frame = wp::ParseFrame(packet.payload);
  if (!frame) {
    return;
  }
  std::vector<uint8_t> clear;
  PppPacket decoded = Decode(*frame);
  if (frame->protocol == wp::kMppe && receive_mppe) {
    if (auto inner = receive_mppe->Decrypt(frame->information)) {
      clear = std::move(*inner);
      if (const auto inside = wp::ParseFrame(clear)) {
        decoded = Decode(*inside);
        decoded.encrypted = true;
      }
    }
  }
  decoded.has_address_control =
      packet.payload.size() > 1 && packet.payload[0] == 0xff && packet.payload[1] == 0x03;
  heard_.push_back(decoded);
  if (decoded.protocol == wp::kLcp) {
    OnLcp(decoded, now_ms);
  } else if (decoded.protocol == wp::kPap || decoded.protocol == wp::kChap ||
             decoded.protocol == wp::kEap) {
    OnAuthentication(decoded);
  } else if (Find(decoded.protocol) != nullptr) {
    if (decoded.code == wp::kConfigureRequest) {
      OnConfigureRequest(decoded, now_ms);
    } else if (decoded.code == wp::kResetRequest && habits.answer_network) {
      SendControl(decoded.protocol, wp::kResetAck, decoded.identifier, decoded.data);
    } else if (decoded.code == wp::kTerminateRequest && habits.answer_network) {
      SendControl(decoded.protocol, wp::kTerminateAck, decoded.identifier, {});
    } else if (decoded.code >= wp::kConfigureAck && decoded.code <= wp::kConfigureReject) {
      OnOurs(decoded, now_ms);
    }
  }
}

void Peer::OnLcp(const PppPacket& packet, uint64_t now_ms) {
  switch (packet.code) {
    case wp::kConfigureRequest:
      return OnConfigureRequest(packet, now_ms);
    case wp::kConfigureAck:
    case wp::kConfigureNak:
    case wp::kConfigureReject:
      return OnOurs(packet, now_ms);
    case wp::kTerminateRequest:
      terminated = true;
      if (habits.answer_lcp) {
        SendControl(wp::kLcp, wp::kTerminateAck, packet.identifier, {});
      }
      return;
    case wp::kEchoRequest:
      if (habits.answer_echo) {
        std::vector<uint8_t> data = packet.data;
        data.resize(std::max<size_t>(data.size(), 4));
        wire::StoreBe32(data.data(), magic);
        SendControl(wp::kLcp, wp::kEchoReply, packet.identifier, data);
      }
      return;
    case wp::kProtocolReject:
      return OnProtocolReject(packet);
    default:
      return;
  }
}

void Peer::OnProtocolReject(const PppPacket& packet) {
  if (packet.data.size() < 2) {
    return;
  }
  if (Layer* layer = Find(wire::LoadBe16(packet.data.data())); layer != nullptr) {
    layer->rejected = true;
    layer->active = false;
  }
}

// OnOurs: the server's answer to our Configure-Request.
void Peer::OnOurs(const PppPacket& packet, uint64_t now_ms) {
  Layer* layer = Find(packet.protocol);
  if (!layer->active || layer->ours_acked || packet.identifier != layer->identifier) {
    return;
  }
  if (packet.code == wp::kConfigureAck) {
    layer->ours_acked = true;
    if (layer->open()) {
      OnOpened(layer->protocol, now_ms);
    }
    return;
  }
  const auto answer = wp::ParseOptions(packet.data);
  const auto ours = wp::ParseOptions(layer->options);
  if (!answer || !ours || !habits.repeat) {
    return;
  }
  wp::OptionList next;
  for (const wp::Option& option : *ours) {
    const auto found = std::find_if(answer->begin(), answer->end(),
                                    [&](const wp::Option& o) { return o.type == option.type; });
    if (found == answer->end()) {
      next.Add(option.type, option.value);
    } else if (packet.code == wp::kConfigureNak) {
      next.Add(found->type, found->value);
    }
  }
  if (packet.code == wp::kConfigureNak) {
    for (const wp::Option& option : *answer) {
      const bool known = std::any_of(ours->begin(), ours->end(),
                                     [&](const wp::Option& o) { return o.type == option.type; });
      if (!known && layer->protocol != wp::kLcp) {
        next.Add(option.type, option.value);  // what the server misses (RFC 1661 s5.3)
      }
    }
  }
  layer->options.assign(next.octets().begin(), next.octets().end());
  Request(layer);
}

void Peer::OnConfigureRequest(const PppPacket& packet, uint64_t now_ms) {
  Layer* layer = Find(packet.protocol);
  const bool was_open = layer->open();
  layer->theirs = packet.data;
  if (packet.protocol == wp::kLcp) {
    offered_protocol = offered_algorithm = 0;
    if (const auto options = wp::ParseOptions(packet.data)) {
      for (const wp::Option& option : *options) {
        if (option.type == wp::lcp::kAuthentication && option.value.size() >= 2) {
          offered_protocol = wire::LoadBe16(option.value.data());
          offered_algorithm = option.value.size() > 2 ? option.value[2] : 0;
        }
      }
    }
  }
  if (was_open) {  // it negotiates again (RFC 1661 s4.1)
    layer->theirs_acked = layer->ours_acked = false;
    if (packet.protocol == wp::kLcp) {
      authenticated = false;
      for (Layer* network : {&ccp, &ipcp, &ipv6cp}) {
        network->ours_acked = network->theirs_acked = network->active = false;
      }
    }
    if (packet.protocol == wp::kCcp || packet.protocol == wp::kLcp) {
      send_mppe.reset();
      receive_mppe.reset();
    }
    if (habits.repeat) {
      Request(layer);
    }
  }
  if (packet.protocol == wp::kLcp ? !habits.answer_lcp : !habits.answer_network) {
    return;
  }
  switch (packet.protocol) {
    case wp::kLcp:
      AnswerLcp(packet);
      break;
    case wp::kCcp:
      AnswerCcp(packet);
      break;
    case wp::kIpv6cp:
      if (!want_ipv6) {
        std::vector<uint8_t> rejected = {0x80, 0x57};
        rejected.insert(rejected.end(), packet.information.begin(), packet.information.end());
        return SendControl(wp::kLcp, wp::kProtocolReject, NextIdentifier(), rejected);
      }
      layer->theirs_acked = true;
      SendControl(packet.protocol, wp::kConfigureAck, packet.identifier, packet.data);
      break;
    default:
      AnswerIpcp(packet);
      break;
  }
  if (layer->open()) {
    OnOpened(layer->protocol, now_ms);
  }
}

void Peer::OnOpened(uint16_t protocol, uint64_t now_ms) {
  now_ms_ = now_ms;
  if (protocol == wp::kCcp) {
    StartMppe();
  } else if (protocol == wp::kLcp) {
    pap_sent_ms_ = 0;
    if (offered_protocol == 0) {
      authenticated = true;
      StartNetwork();
    }
    OnTime(now_ms);
  }
}

void Peer::StartNetwork() {
  if (!habits.start_network) {
    return;
  }
  if (mppe_bits != 0) {
    ccp.options = {wp::ccp::kMppe, 6, 0, 0, 0, 0};
    wire::StoreBe32(&ccp.options[2], mppe_bits);
    Request(&ccp);
  }
  Request(&ipcp);
  if (want_ipv6) {
    Request(&ipv6cp);
  }
}

void Peer::OnTime(uint64_t now_ms) {
  now_ms_ = now_ms;
  for (Layer* layer : {&lcp, &ccp, &ipcp, &ipv6cp}) {
    if (habits.repeat && layer->active && !layer->ours_acked &&
        now_ms - layer->sent_ms >= kRepeatMs) {
      layer->sent_ms = now_ms;
      SendControl(layer->protocol, wp::kConfigureRequest, layer->identifier, layer->options);
    }
  }
  if (lcp.open() && offered_protocol == wp::kPap && habits.authenticate && !authenticated &&
      !refusal && now_ms - pap_sent_ms_ >= 3 * kRepeatMs) {
    pap_sent_ms_ = now_ms;
    SendPap(NextIdentifier(), user, password);
  }
}

std::string Peer::Summary(size_t from) const {
  std::string out;
  for (size_t i = from; i < heard_.size(); ++i) {
    out += (out.empty() ? "" : ", ") + Describe(heard_[i]);
    if (i - from == 5 && heard_.size() - i > 2) {
      return out + fmt::format(" and {} more", heard_.size() - i - 1);
    }
  }
  return out.empty() ? "nothing" : out;
}

uint32_t Peer::address() const {
  const auto options = wp::ParseOptions(ipcp.options);
  for (const wp::Option& option : options ? *options : std::vector<wp::Option>{}) {
    if (option.type == wp::ipcp::kIpAddress && option.value.size() == 4) {
      return wire::LoadBe32(option.value.data());
    }
  }
  return 0;
}

uint32_t Peer::gateway() const {
  const auto options = wp::ParseOptions(ipcp.theirs);
  for (const wp::Option& option : options ? *options : std::vector<wp::Option>{}) {
    if (option.type == wp::ipcp::kIpAddress && option.value.size() == 4) {
      return wire::LoadBe32(option.value.data());
    }
  }
  return 0;
}

uint32_t Peer::server_magic() const {
  const auto options = wp::ParseOptions(lcp.theirs);
  for (const wp::Option& option : options ? *options : std::vector<wp::Option>{}) {
    if (option.type == wp::lcp::kMagicNumber && option.value.size() == 4) {
      return wire::LoadBe32(option.value.data());
    }
  }
  return 0;
}

}  // namespace culvert::load::conformance
