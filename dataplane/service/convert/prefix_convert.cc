#include "dataplane/service/convert/prefix_convert.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

namespace culvert::dataplane {
namespace {

// HostBitsClear: whether nothing is set behind the first `len` bits.
bool HostBitsClear(const PrefixSpec& prefix) {
  for (size_t i = 0; i < prefix.address.size(); ++i) {
    const int kept = std::clamp(prefix.len - static_cast<int>(8 * i), 0, 8);
    if ((prefix.address[i] & (0xff >> kept)) != 0) return false;
  }
  return true;
}

}  // namespace

absl::Status WrongField(std::string_view field, uint64_t value, std::string_view allowed) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(field), ": ", value, "; allowed: ", std::string(allowed)));
}

absl::Status ToPrefix(const std::string& field, const v1::Prefix& prefix, uint32_t min_len,
                      PrefixSpec* out) {
  const size_t size = prefix.address().size();
  if (size != 4 && size != 16) {
    return WrongField(absl::StrCat(field, ".address"), size, "4 or 16 octets");
  }
  if (prefix.length() < min_len || prefix.length() > 8 * size) {
    return WrongField(absl::StrCat(field, ".length"), prefix.length(),
                      absl::StrCat(min_len, " to ", 8 * size));
  }
  std::copy(prefix.address().begin(), prefix.address().end(), out->address.begin());
  out->len = static_cast<uint8_t>(prefix.length());
  out->is_ipv6 = size == 16;
  if (!HostBitsClear(*out)) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".address: bits are set behind the first ", prefix.length()));
  }
  return absl::OkStatus();
}

void FromPrefix(const PrefixSpec& spec, v1::Prefix* out) {
  out->set_address(spec.address.data(), spec.is_ipv6 ? 16 : 4);
  out->set_length(spec.len);
}

}  // namespace culvert::dataplane
