#include "controlplane/management/call_index.h"

#include <functional>
#include <string>

#include "controlplane/logging/printable.h"

namespace culvert {
namespace {

// What is indexed, the most selective first.
enum class Kind : uint8_t {
  kClientAddress,
  kNasPort,
  kIpv6Prefix,
  kIpv6Delegated,
  kInterfaceId,
  kUser,
  kChargeable,
  kCallingNumber,
  kPeerAddress,
};

uint64_t Key(Kind kind, uint64_t value) {
  // The top octet tells kinds apart, and no key is 0.
  return (static_cast<uint64_t>(kind) + 1) << 56 | (value & 0xff'ffff'ffff'ffff);
}

uint64_t TextKey(Kind kind, const std::string& text) {
  return Key(kind, std::hash<std::string>{}(text));
}

uint64_t PrefixKey(Kind kind, const config::Ipv6Prefix& prefix) {
  return TextKey(kind, std::string(prefix.address.begin(), prefix.address.end()) +
                           static_cast<char>(prefix.length));
}

// InterfaceKey mixes all 64 bits: Key() keeps 56 of them.
uint64_t InterfaceKey(uint64_t id) { return Key(Kind::kInterfaceId, id ^ id >> 56); }

}  // namespace

CallIndex::Keys CallIndex::KeysOf(const CallRecord& record) {
  Keys keys{};
  if (record.client_address != 0) keys[0] = Key(Kind::kClientAddress, record.client_address);
  if (record.handle != 0) keys[1] = Key(Kind::kNasPort, record.nas_port());
  if (!record.user.empty()) keys[2] = TextKey(Kind::kUser, Printable(record.user));
  if (record.peer_address != 0) keys[3] = Key(Kind::kPeerAddress, record.peer_address);
  if (record.ipv6_interface_id != 0) keys[4] = InterfaceKey(record.ipv6_interface_id);
  if (record.ipv6_prefix) keys[5] = PrefixKey(Kind::kIpv6Prefix, *record.ipv6_prefix);
  if (record.ipv6_delegated_prefix) {
    keys[6] = PrefixKey(Kind::kIpv6Delegated, *record.ipv6_delegated_prefix);
  }
  if (record.marks && !record.marks->chargeable_identity.empty()) {
    keys[7] = TextKey(Kind::kChargeable, record.marks->chargeable_identity);
  }
  if (record.names && !record.names->calling_number.empty()) {
    keys[8] = TextKey(Kind::kCallingNumber, record.names->calling_number);
  }
  return keys;
}

void CallIndex::Replace(const CallRecord& before, const CallRecord& now) {
  const Keys old_keys = KeysOf(before);
  const Keys new_keys = KeysOf(now);
  Part& part = parts_[HomeOf(before.id != 0 ? before.id : now.id)];
  const std::lock_guard lock(part.mutex);
  for (size_t i = 0; i < kKeys; ++i) {
    if (old_keys[i] == new_keys[i]) continue;
    if (old_keys[i] != 0) part.entries.erase({old_keys[i], before.id});
    if (new_keys[i] != 0) part.entries.insert({new_keys[i], now.id});
  }
}

uint64_t CallIndex::KeyOf(const CallFilter& filter) {
  if (filter.client_address) return Key(Kind::kClientAddress, *filter.client_address);
  if (filter.nas_port) return Key(Kind::kNasPort, *filter.nas_port);
  if (filter.ipv6_prefix) return PrefixKey(Kind::kIpv6Prefix, *filter.ipv6_prefix);
  if (filter.ipv6_delegated_prefix) {
    return PrefixKey(Kind::kIpv6Delegated, *filter.ipv6_delegated_prefix);
  }
  if (filter.ipv6_interface_id) return InterfaceKey(*filter.ipv6_interface_id);
  if (filter.user_octets) return TextKey(Kind::kUser, Printable(*filter.user_octets));
  // A shown name shows as itself.
  if (filter.user) return TextKey(Kind::kUser, Printable(*filter.user));
  if (filter.chargeable_identity) {
    return TextKey(Kind::kChargeable, *filter.chargeable_identity);
  }
  if (filter.calling_number) return TextKey(Kind::kCallingNumber, *filter.calling_number);
  return filter.peer_address ? Key(Kind::kPeerAddress, *filter.peer_address) : 0;
}

std::optional<std::vector<uint64_t>> CallIndex::Candidates(const CallFilter& filter) const {
  const uint64_t key = KeyOf(filter);
  if (key == 0) {
    return std::nullopt;
  }
  std::vector<uint64_t> ids;
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    for (auto it = part.entries.lower_bound({key, 0}); it != part.entries.end() && it->first == key;
         ++it) {
      ids.push_back(it->second);
    }
  }
  return ids;
}

}  // namespace culvert
