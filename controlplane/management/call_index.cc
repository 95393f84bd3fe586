#include "controlplane/management/call_index.h"

#include <functional>
#include <string>

#include "controlplane/logging/printable.h"

namespace culvert {
namespace {

// What is indexed, the most selective first.
enum class Kind : uint8_t { kClientAddress, kNasPort, kUser, kPeerAddress };

uint64_t Key(Kind kind, uint64_t value) {
  // The top octet tells kinds apart, and no key is 0.
  return (static_cast<uint64_t>(kind) + 1) << 56 | (value & 0xff'ffff'ffff'ffff);
}

uint64_t UserKey(const std::string& printable) {
  return Key(Kind::kUser, std::hash<std::string>{}(printable));
}

}  // namespace

CallIndex::Part& CallIndex::PartOf(std::array<Part, kParts>& parts, uint64_t key) {
  return parts[(key * 0x9e3779b97f4a7c15u >> 32) % kParts];
}

CallIndex::Keys CallIndex::KeysOf(const CallRecord& record) {
  Keys keys{};
  if (record.client_address != 0) keys[0] = Key(Kind::kClientAddress, record.client_address);
  if (record.handle != 0) keys[1] = Key(Kind::kNasPort, record.nas_port());
  if (!record.user.empty()) keys[2] = UserKey(Printable(record.user));
  if (record.peer_address != 0) keys[3] = Key(Kind::kPeerAddress, record.peer_address);
  return keys;
}

void CallIndex::Replace(const CallRecord& before, const CallRecord& now) {
  const Keys old_keys = KeysOf(before);
  const Keys new_keys = KeysOf(now);
  for (size_t i = 0; i < kKeys; ++i) {
    if (old_keys[i] == new_keys[i]) continue;
    if (old_keys[i] != 0) {
      Part& part = PartOf(parts_, old_keys[i]);
      const std::lock_guard lock(part.mutex);
      part.entries.erase({old_keys[i], before.id});
    }
    if (new_keys[i] != 0) {
      Part& part = PartOf(parts_, new_keys[i]);
      const std::lock_guard lock(part.mutex);
      part.entries.insert({new_keys[i], now.id});
    }
  }
}

std::optional<std::vector<uint64_t>> CallIndex::Candidates(const CallFilter& filter) const {
  uint64_t key = 0;
  if (filter.client_address) {
    key = Key(Kind::kClientAddress, *filter.client_address);
  } else if (filter.nas_port) {
    key = Key(Kind::kNasPort, *filter.nas_port);
  } else if (filter.user_octets) {
    key = UserKey(Printable(*filter.user_octets));
  } else if (filter.user) {
    key = UserKey(*filter.user);
  } else if (filter.peer_address) {
    key = Key(Kind::kPeerAddress, *filter.peer_address);
  } else {
    return std::nullopt;
  }
  std::vector<uint64_t> ids;
  const Part& part = PartOf(parts_, key);
  const std::lock_guard lock(part.mutex);
  for (auto it = part.entries.lower_bound({key, 0}); it != part.entries.end() && it->first == key;
       ++it) {
    ids.push_back(it->second);
  }
  return ids;
}

}  // namespace culvert
