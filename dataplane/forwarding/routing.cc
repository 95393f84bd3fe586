#include "dataplane/forwarding/routing.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <arpa/inet.h>

namespace culvert::dataplane {

std::string Ipv4Routing::Text(Address prefix, uint8_t len) {
  return absl::StrFormat("%u.%u.%u.%u/%u", prefix >> 24, prefix >> 16 & 255, prefix >> 8 & 255,
                         prefix & 255, len);
}

std::string Ipv6Routing::Text(Address prefix, uint8_t len) {
  char text[INET6_ADDRSTRLEN];
  const Ipv6Octets octets = ToOctets(prefix);
  inet_ntop(AF_INET6, octets.data(), text, sizeof(text));
  return absl::StrCat(text, "/", len);
}

}  // namespace culvert::dataplane
