#include "controlplane/ppp/options/ipv6cp_policy.h"

#include <array>

namespace culvert::ppp {

namespace ipv6cp = wire::ppp::ipv6cp;
using wire::ppp::Option;
using wire::ppp::OptionList;

namespace {

constexpr size_t kIdLen = 8;

void AddId(uint64_t id, OptionList* out) {
  std::array<uint8_t, kIdLen> octets{};
  wire::Writer to(octets);
  to.U32(static_cast<uint32_t>(id >> 32));
  to.U32(static_cast<uint32_t>(id));
  out->Add(ipv6cp::kInterfaceId, octets);
}

}  // namespace

uint64_t InterfaceIdOf(wire::Octets octets) {
  wire::Reader in(octets);
  const uint64_t high = in.U32();
  return high << 32 | in.U32();
}

Ipv6cpPolicy::Ipv6cpPolicy(uint64_t ours, uint64_t wanted, const Random& random)
    : ours_(ours == wanted ? ours ^ 3 : ours), wanted_(wanted), random_(random) {}

void Ipv6cpPolicy::EmitRequest(OptionList* out) {
  if (tell_) {
    AddId(ours_, out);
  }
}

// The peer has ours too, or wants us to have another: it is all the same to us.
void Ipv6cpPolicy::OnNak(const Option& option) {
  if (option.type != ipv6cp::kInterfaceId || option.value.size() != kIdLen) {
    return;
  }
  const uint64_t id = InterfaceIdOf(option.value);
  if (id != 0 && id != wanted_ && id != client_id_) {
    ours_ = id;
  }
}

void Ipv6cpPolicy::OnReject(const Option& option) {
  tell_ = tell_ && option.type != ipv6cp::kInterfaceId;
}

Judgement Ipv6cpPolicy::Judge(const Option& option, OptionList* naks) {
  if (option.type != ipv6cp::kInterfaceId) {
    return Judgement::kReject;  // IPv6-Compression-Protocol
  }
  if (option.value.size() != kIdLen) {
    return Judgement::kMalformed;
  }
  const uint64_t id = InterfaceIdOf(option.value);
  const bool good = wanted_ != 0 ? id == wanted_ : id != 0 && id != ours_;
  if (good) {
    return Judgement::kAck;
  }
  AddId(Suggestion(), naks);
  return Judgement::kNak;
}

void Ipv6cpPolicy::AddMissing(const Options& options, OptionList* naks) {
  if (Find(options, ipv6cp::kInterfaceId) == nullptr) {
    AddId(Suggestion(), naks);
  }
}

void Ipv6cpPolicy::Accept(const Options& options) {
  const Option* option = Find(options, ipv6cp::kInterfaceId);
  client_id_ = option != nullptr ? InterfaceIdOf(option->value) : 0;
}

uint64_t Ipv6cpPolicy::Suggestion() {
  if (wanted_ != 0) {
    return wanted_;
  }
  std::array<uint8_t, kIdLen> octets{};
  random_(octets);
  constexpr uint64_t kUniversal = 0x0200'0000'0000'0000;  // the u bit: it is no EUI-64 of a device
  const uint64_t id = InterfaceIdOf(octets) & ~kUniversal;
  return id != 0 && id != ours_ ? id : ours_ ^ 2;
}

}  // namespace culvert::ppp
