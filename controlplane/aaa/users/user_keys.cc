#include "controlplane/aaa/users/user_keys.h"

#include <toml++/toml.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"

namespace culvert {

namespace {

constexpr int64_t kMaxKbps = 1'000'000'000;
constexpr int64_t kMinKbps = 8;
constexpr int64_t kMaxSeconds = 2'592'000;  // 30 days
constexpr int64_t kMaxQuotaMb = 4'294'967'295;
constexpr uint64_t kMega = 1'000'000;
constexpr size_t kMaxPrefixes = 16;
constexpr size_t kMaxServers = 2;
constexpr size_t kMaxText = 255;
constexpr char kSeconds[] = "0 (none), or an integer of seconds up to 2592000";
constexpr char kRate[] = "0 (no limit), or an integer from 8 to 1000000000";
constexpr char kServers[] = "an array of at most 2 IPv4 addresses";
constexpr char kPrefix6[] = "an IPv6 prefix with no host bits set, such as 2001:db8:1::/64";
constexpr char kName[] = "text of 1 to 255 octets";

std::optional<int64_t> Integer(const toml::node& node, int64_t min, int64_t max) {
  const toml::value<int64_t>* value = node.as_integer();
  if (value == nullptr || value->get() < min || value->get() > max) {
    return std::nullopt;
  }
  return value->get();
}

const std::string* Text(const toml::node& node) {
  const toml::value<std::string>* value = node.as_string();
  return value == nullptr ? nullptr : &value->get();
}

// List reads an array with `parse`, which takes text and answers an optional.
template <typename Parse, typename Item>
bool List(const toml::node& node, size_t max, Parse parse, std::vector<Item>& items) {
  const toml::array* array = node.as_array();
  if (array == nullptr || array->size() > max) {
    return false;
  }
  for (const toml::node& element : *array) {
    const std::string* text = Text(element);
    std::optional<Item> item;
    if (text != nullptr) {
      item = parse(*text);
    }
    if (!item) {
      return false;
    }
    items.push_back(*item);
  }
  return true;
}

template <typename Parse, typename Value>
bool One(const toml::node& node, Parse parse, Value& value) {
  const std::string* text = Text(node);
  if (text == nullptr) {
    return false;
  }
  auto parsed = parse(*text);
  if (!parsed) {
    return false;
  }
  value = *parsed;
  return true;
}

std::optional<std::string> ShortText(const std::string& text) {
  return text.empty() || text.size() > kMaxText ? std::nullopt : std::optional(text);
}

bool ReadRate(const toml::node& node, std::optional<uint64_t>& bps) {
  const std::optional<int64_t> kbps = Integer(node, 0, kMaxKbps);
  if (!kbps || (*kbps != 0 && *kbps < kMinKbps)) {
    return false;
  }
  bps = static_cast<uint64_t>(*kbps) * 1000;
  return true;
}

template <typename Value>
bool ReadNumber(const toml::node& node, int64_t min, int64_t max, uint64_t unit,
                std::optional<Value>& value) {
  const std::optional<int64_t> number = Integer(node, min, max);
  if (!number) {
    return false;
  }
  value = static_cast<Value>(static_cast<uint64_t>(*number) * unit);
  return true;
}

bool ReadRoutes(const toml::node& node, CallGrants& grants) {
  const toml::array* array = node.as_array();
  if (array == nullptr || array->size() > kMaxPrefixes) {
    return false;
  }
  for (const toml::node& element : *array) {
    const std::string* text = Text(element);
    if (text == nullptr) {
      return false;
    }
    const std::optional<config::Ipv4Prefix> prefix = config::ParsePrefix(*text);
    const std::optional<config::Ipv6Prefix> prefix6 = config::ParsePrefix6(*text);
    if (prefix && prefix->length != 0) {
      grants.routes.push_back(*prefix);
    } else if (prefix6 && prefix6->length != 0) {
      grants.ipv6.routes.push_back(*prefix6);
    } else {
      return false;
    }
  }
  return true;
}

bool ReadMppe(const toml::node& node, CallGrants& grants) {
  const std::string* text = Text(node);
  if (text == nullptr || (*text != "deny" && *text != "allow" && *text != "require")) {
    return false;
  }
  grants.mppe = *text == "deny"    ? MppeGrant::kDeny
                : *text == "allow" ? MppeGrant::kAllow
                                   : MppeGrant::kRequire;
  return true;
}

bool ReadMppeBits(const toml::node& node, CallGrants& grants) {
  const toml::array* array = node.as_array();
  if (array == nullptr || array->empty()) {
    return false;
  }
  uint8_t strengths = 0;
  for (const toml::node& element : *array) {
    const std::optional<int64_t> bits = Integer(element, 40, 128);
    if (bits == 40) {
      strengths |= CallGrants::kMppe40;
    } else if (bits == 56) {
      strengths |= CallGrants::kMppe56;
    } else if (bits == 128) {
      strengths |= CallGrants::kMppe128;
    } else {
      return false;
    }
  }
  grants.mppe_strengths = strengths;
  return true;
}

bool ReadExcess(const toml::node& node, CallGrants& grants) {
  const std::string* text = Text(node);
  if (text == nullptr || (*text != "deny" && *text != "replace")) {
    return false;
  }
  grants.replace_sessions = *text == "replace";
  return true;
}

using Node = const toml::node&;

constexpr UserKey kKeys[] = {
    {"address", "an IPv4 address such as 192.0.2.1",
     [](Node node, CallGrants& grants) {
       return One(node, config::ParseIpv4, grants.fixed_address) && grants.fixed_address != 0;
     }},
    {"pool", kName,
     [](Node node, CallGrants& grants) { return One(node, ShortText, grants.pool); }},
    {"upstream_kbps", kRate,
     [](Node node, CallGrants& grants) { return ReadRate(node, grants.upstream_bps); }},
    {"downstream_kbps", kRate,
     [](Node node, CallGrants& grants) { return ReadRate(node, grants.downstream_bps); }},
    {"routes",
     "an array of at most 16 IPv4 or IPv6 prefixes with no host bits set, such as 192.0.2.0/24",
     ReadRoutes},
    {"session_timeout_s", kSeconds,
     [](Node node, CallGrants& grants) {
       return ReadNumber(node, 0, kMaxSeconds, 1, grants.session_timeout_s);
     }},
    {"idle_timeout_s", kSeconds,
     [](Node node, CallGrants& grants) {
       return ReadNumber(node, 0, kMaxSeconds, 1, grants.idle_timeout_s);
     }},
    {"octet_quota_mb", "0 (none), or an integer up to 4294967295",
     [](Node node, CallGrants& grants) {
       return ReadNumber(node, 0, kMaxQuotaMb, kMega, grants.octet_quota);
     }},
    {"interim_interval_s", kSeconds,
     [](Node node, CallGrants& grants) {
       return ReadNumber(node, 0, kMaxSeconds, 1, grants.interim_interval_s);
     }},
    {"mppe", "\"deny\", \"allow\" or \"require\"", ReadMppe},
    {"mppe_bits", "an array of 40, 56 and 128", ReadMppeBits},
    {"max_sessions", "0 (no limit), or an integer up to 65535",
     [](Node node, CallGrants& grants) {
       return ReadNumber(node, 0, 65535, 1, grants.max_sessions);
     }},
    {"excess_sessions", "\"deny\" or \"replace\"", ReadExcess},
    {"allowed_sources", "an array of at most 16 IPv4 prefixes with no host bits set",
     [](Node node, CallGrants& grants) {
       return List(node, kMaxPrefixes, config::ParsePrefix, grants.allowed_sources) &&
              !grants.allowed_sources.empty();
     }},
    {"dns", kServers,
     [](Node node, CallGrants& grants) {
       return List(node, kMaxServers, config::ParseIpv4, grants.dns);
     }},
    {"wins", kServers,
     [](Node node, CallGrants& grants) {
       return List(node, kMaxServers, config::ParseIpv4, grants.wins);
     }},
    {"mtu", "an integer from 576 to 9000",
     [](Node node, CallGrants& grants) { return ReadNumber(node, 576, 9000, 1, grants.mtu); }},
    {"filter", kName,
     [](Node node, CallGrants& grants) { return One(node, ShortText, grants.filter_id); }},
    {"ipv6_prefix", kPrefix6,
     [](Node node, CallGrants& grants) {
       return One(node, config::ParsePrefix6, grants.ipv6.prefix);
     }},
    {"ipv6_delegated_prefix", kPrefix6,
     [](Node node, CallGrants& grants) {
       return One(node, config::ParsePrefix6, grants.ipv6.delegated_prefix);
     }},
    {"ipv6_pool", kName,
     [](Node node, CallGrants& grants) { return One(node, ShortText, grants.ipv6.pool); }},
    {"ipv6_delegated_pool", kName,
     [](Node node, CallGrants& grants) {
       return One(node, ShortText, grants.ipv6.delegated_pool);
     }},
    {"ipv6_dns", "an array of at most 2 IPv6 addresses",
     [](Node node, CallGrants& grants) {
       return List(node, kMaxServers, config::ParseIpv6, grants.ipv6.dns);
     }},
};

}  // namespace

const UserKey* FindUserKey(std::string_view name) {
  const UserKey* found = std::find_if(std::begin(kKeys), std::end(kKeys),
                                      [&](const UserKey& key) { return key.name == name; });
  return found == std::end(kKeys) ? nullptr : found;
}

std::vector<const char*> UserKeyNames() {
  std::vector<const char*> names;
  for (const UserKey& key : kKeys) {
    names.push_back(key.name);
  }
  return names;
}

}  // namespace culvert
