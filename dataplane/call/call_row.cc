#include "dataplane/call/call_row.h"

#include <cstring>
#include <new>
#include <utility>

namespace culvert::dataplane {

// A new field of CallSpec has to be packed, too.
static_assert(sizeof(CallSpec) == 312);

struct CallRow::Rare {
  PolicerSpec upstream_policer, downstream_policer;
  Ipv6Spec ipv6;
  uint64_t octet_quota = 0;
  std::vector<PrefixSpec> routes;

  static bool Wanted(const CallSpec& spec) {
    const auto limits = [](const PolicerSpec& policer) {
      return (policer.committed_bps | policer.peak_bps | policer.committed_burst |
              policer.excess_burst) != 0;
    };
    return limits(spec.upstream_policer) || limits(spec.downstream_policer) || spec.ipv6.enabled ||
           spec.octet_quota != 0 || !spec.routes.empty();
  }
};

CallRow::Key CallRow::KeyOf(const std::optional<MppeKeySpec>& key) {
  return key ? Key{key->epoch, key->bits, true, key->stateful} : Key{};
}

std::optional<MppeKeySpec> CallRow::SpecOf(const Key& key) {
  if (!key.present) {
    return std::nullopt;
  }
  return MppeKeySpec{
      .bits = key.bits, .epoch = key.epoch, .start_key = {}, .stateful = key.stateful};
}

bool CallRow::Pack(const CallSpec& spec) {
  char* record = nullptr;
  if (!spec.record.empty()) {
    record = static_cast<char*>(malloc(spec.record.size()));
    if (record == nullptr) {
      return false;
    }
    std::memcpy(record, spec.record.data(), spec.record.size());
  }
  delete std::exchange(rare_, Rare::Wanted(spec)
                                  ? new Rare{spec.upstream_policer, spec.downstream_policer,
                                             spec.ipv6, spec.octet_quota, spec.routes}
                                  : nullptr);
  free(std::exchange(record_, record));
  record_len_ = static_cast<uint16_t>(spec.record.size());
  peer_address = spec.peer_address;
  client_address = spec.client_address;
  peer_call_id = spec.peer_call_id;
  peer_mru_ = spec.peer_mru;
  mtu_ = spec.mtu;
  receive_window_ = spec.receive_window;
  peer_window_ = spec.peer_window;
  receive_ = KeyOf(spec.receive);
  send_ = KeyOf(spec.send);
  keepalive_magic_ = spec.keepalive.magic;
  keepalive_peer_magic_ = spec.keepalive.peer_magic;
  keepalive_interval_s_ = spec.keepalive.interval_s;
  keepalive_misses_ = spec.keepalive.misses;
  keepalive_enabled_ = spec.keepalive.enabled;
  idle_timeout_s_ = spec.idle_timeout_s;
  dscp_ = spec.outer.dscp;
  copy_dscp_ = spec.outer.copy_dscp;
  dont_fragment_ = spec.outer.dont_fragment;
  reorder_ = spec.reorder;
  filter_ = spec.filter;
  ack_delay_ms_ = spec.ack_delay_ms & 0x3ff;
  send_acfc_ = spec.send_acfc;
  send_pfc_ = spec.send_pfc;
  require_encryption_ = spec.require_encryption;
  return true;
}

CallSpec CallRow::Unpack() const {
  CallSpec spec;
  spec.peer_address = peer_address;
  spec.client_address = client_address;
  spec.peer_call_id = peer_call_id;
  spec.peer_mru = peer_mru_;
  spec.mtu = mtu_;
  spec.receive_window = receive_window_;
  spec.peer_window = peer_window_;
  spec.receive = SpecOf(receive_);
  spec.send = SpecOf(send_);
  spec.keepalive.magic = keepalive_magic_;
  spec.keepalive.peer_magic = keepalive_peer_magic_;
  spec.keepalive.interval_s = keepalive_interval_s_;
  spec.keepalive.misses = keepalive_misses_;
  spec.keepalive.enabled = keepalive_enabled_;
  spec.idle_timeout_s = idle_timeout_s_;
  spec.outer.dscp = dscp_;
  spec.outer.copy_dscp = copy_dscp_;
  spec.outer.dont_fragment = dont_fragment_;
  spec.reorder = reorder_;
  spec.filter = filter_;
  spec.ack_delay_ms = ack_delay_ms_;
  spec.send_acfc = send_acfc_;
  spec.send_pfc = send_pfc_;
  spec.require_encryption = require_encryption_;
  if (record_len_ != 0) {
    spec.record.assign(record_, record_len_);
  }
  if (rare_ != nullptr) {
    spec.upstream_policer = rare_->upstream_policer;
    spec.downstream_policer = rare_->downstream_policer;
    spec.ipv6 = rare_->ipv6;
    spec.octet_quota = rare_->octet_quota;
    spec.routes = rare_->routes;
  }
  return spec;
}

void CallRow::Clear() {
  delete rare_;
  free(record_);
  *this = {};
}

}  // namespace culvert::dataplane
