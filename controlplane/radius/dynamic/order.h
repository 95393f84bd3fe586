// Order: what a CoA-Request or Disconnect-Request asks for, in our own terms (RFC 5176 s3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "controlplane/management/call_change.h"
#include "controlplane/radius/dynamic/error_cause.h"
#include "controlplane/radius/packet.h"
#include "controlplane/radius/session_attributes.h"
#include "proto/config/address/address6.h"

namespace culvert::radius {

// SessionKey: the calls that are meant are those that have all of it.
struct SessionKey {
  std::optional<std::string> user = {};         // any octets
  std::optional<uint64_t> id = {};              // Acct-Session-Id
  std::optional<uint32_t> nas_port = {};        // CallRecord::nas_port()
  std::optional<uint32_t> client_address = {};  // Framed-IP-Address; all host order
  std::optional<uint32_t> peer_address = {};    // Calling-Station-Id, an address
  std::optional<uint32_t> local_address = {};   // Called-Station-Id, an address
  std::optional<std::string> calling_number = {}, called_number = {};  // or telephone numbers
  std::optional<std::string> chargeable_identity = {};                 // RFC 4372
  std::optional<uint64_t> interface_id = {};                           // Framed-Interface-Id
  std::optional<config::Ipv6Prefix> prefix = {}, delegated_prefix = {};
  bool nobody = false;  // a value was well-formed, but no call can have it
  // Nothing names a session. Called-Station-Id names only us, and thousands of calls at once.
  bool empty = true;
};

struct Order {
  bool disconnect = false;
  SessionKey session;
  CallChange change;  // of a CoA-Request
};

// ReadOrder interprets a packet that has been checked otherwise. An address that `nas` does not
// have is not compared. Nothing of it holds when one of
// its attributes is not supported or has a bad value: the whole request is refused.
[[nodiscard]] tl::expected<Order, ErrorCause> ReadOrder(const Packet& packet,
                                                        const NasIdentity& nas);

}  // namespace culvert::radius
