// The server that is tried, how, and what it turned out to do.
#pragma once

#include <cstdint>
#include <string>

namespace culvert::load::conformance {

struct Target {
  uint32_t server = 0;  // host order
  uint16_t port = 1723;
  uint32_t source = 0;        // host order; 0: as the route says
  uint32_t other_source = 0;  // a second local address; 0: none
  std::string user{}, password{};
  std::string wrong_user = "no-such-user", wrong_password = "wrong";
  // Users whose password has expired: it is changed, once each, by MS-CHAPv2 and EAP-MSCHAPv2.
  std::string expired_user{}, expired_eap_user{}, expired_password{}, new_password{};
  int wait_ms = 5000;  // for an answer that has to come
  int quiet_ms = 400;  // for an answer that must not come
};

// What is found out before the cases.
struct Survey {
  std::string host_name, vendor;  // Start-Control-Connection-Reply
  uint16_t firmware = 0;
  uint32_t offers = 0;  // Needs that the server meets
};

}  // namespace culvert::load::conformance
