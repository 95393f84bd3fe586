#include "dataplane/service/convert/call_features.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "dataplane/call/ack_delay.h"
#include "dataplane/filter/filter_spec.h"
#include "dataplane/service/convert/prefix_convert.h"

namespace culvert::dataplane {
namespace {

constexpr uint32_t kMaxIdleS = 2592000;  // 30 days: milliseconds of it fit 32 bits
constexpr uint64_t kMinRateBps = 8000;
constexpr uint64_t kMaxRateBps = 1000000000000;
constexpr uint64_t kMinBurst = 1500;  // below that no full packet ever conforms
constexpr uint64_t kMaxBurst = 0xffffffff;
constexpr uint64_t kMinDefaultBurst = 10000;

absl::Status CheckNumber(std::string_view field, uint64_t value, uint64_t max) {
  if (value <= max) return absl::OkStatus();
  return WrongField(field, value, absl::StrCat("0 to ", max));
}

absl::Status ToRoutes(const v1::CallConfig& config, CallSpec* spec) {
  if (config.routes_size() > kMaxRoutes) {
    return WrongField("routes", static_cast<uint64_t>(config.routes_size()), "at most 16");
  }
  for (int i = 0; i < config.routes_size(); ++i) {
    PrefixSpec& prefix = spec->routes.emplace_back();
    if (auto status = ToPrefix(absl::StrCat("routes[", i, "]"), config.routes(i), 1, &prefix);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status ToIpv6(const v1::CallConfig& config, CallSpec* spec) {
  if (!config.has_ipv6()) return absl::OkStatus();
  // RFC 5072 s4.1: zero stands for "none yet" on the wire.
  if (config.ipv6().interface_id() == 0) return WrongField("ipv6.interface_id", 0, "not 0");
  spec->ipv6.enabled = true;
  spec->ipv6.interface_id = config.ipv6().interface_id();
  if (!config.ipv6().has_prefix()) return absl::OkStatus();
  const size_t size = config.ipv6().prefix().address().size();
  if (size != 16) return WrongField("ipv6.prefix.address", size, "16 octets");
  return ToPrefix("ipv6.prefix", config.ipv6().prefix(), 1, &spec->ipv6.prefix);
}

absl::Status ToBurst(const std::string& field, uint64_t value, uint64_t fallback, uint64_t* out) {
  if (value != 0 && (value < kMinBurst || value > kMaxBurst)) {
    return WrongField(field, value, absl::StrCat("0, or ", kMinBurst, " to ", kMaxBurst));
  }
  *out = value == 0 ? fallback : value;
  return absl::OkStatus();
}

absl::Status ToPolicer(const std::string& field, const v1::Policer& policer, PolicerSpec* out) {
  if (policer.committed_bps() < kMinRateBps || policer.committed_bps() > kMaxRateBps) {
    return WrongField(absl::StrCat(field, ".committed_bps"), policer.committed_bps(),
                      absl::StrCat(kMinRateBps, " to ", kMaxRateBps));
  }
  if (policer.peak_bps() != 0 &&
      (policer.peak_bps() < policer.committed_bps() || policer.peak_bps() > kMaxRateBps)) {
    return WrongField(absl::StrCat(field, ".peak_bps"), policer.peak_bps(),
                      absl::StrCat("0, or committed_bps to ", kMaxRateBps));
  }
  out->committed_bps = policer.committed_bps();
  out->peak_bps = policer.peak_bps();
  const uint64_t tenth_of_a_second =
      std::clamp(policer.committed_bps() / 80, kMinDefaultBurst, kMaxBurst);
  absl::Status status = ToBurst(absl::StrCat(field, ".committed_burst"), policer.committed_burst(),
                                tenth_of_a_second, &out->committed_burst);
  status.Update(ToBurst(absl::StrCat(field, ".excess_burst"), policer.excess_burst(),
                        out->committed_burst, &out->excess_burst));
  return status;
}

absl::Status ToPolicers(const v1::CallConfig& config, CallSpec* spec) {
  absl::Status status;
  if (config.has_upstream_policer()) {
    status = ToPolicer("upstream_policer", config.upstream_policer(), &spec->upstream_policer);
  }
  if (config.has_downstream_policer()) {
    status.Update(
        ToPolicer("downstream_policer", config.downstream_policer(), &spec->downstream_policer));
  }
  return status;
}

absl::Status ToKeepalive(const v1::CallConfig& config, CallSpec* spec) {
  if (!config.has_keepalive()) return absl::OkStatus();
  const v1::Keepalive& from = config.keepalive();
  absl::Status status = CheckNumber("keepalive.interval_s", from.interval_s(), 3600);
  status.Update(CheckNumber("keepalive.misses", from.misses(), 255));
  if (!status.ok()) return status;
  KeepaliveSpec& to = spec->keepalive;
  to.enabled = true;
  to.interval_s = static_cast<uint16_t>(from.interval_s());
  if (from.misses() != 0) to.misses = static_cast<uint8_t>(from.misses());
  to.magic = from.magic();
  to.peer_magic = from.peer_magic();
  return absl::OkStatus();
}

absl::Status ToReorder(const v1::CallConfig& config, CallSpec* spec) {
  if (!config.has_reorder()) return absl::OkStatus();
  absl::Status status = CheckNumber("reorder.packets", config.reorder().packets(), 64);
  status.Update(CheckNumber("reorder.delay_ms", config.reorder().delay_ms(), 100));
  if (!status.ok()) return status;
  spec->reorder.packets = static_cast<uint8_t>(config.reorder().packets());
  spec->reorder.delay_ms = static_cast<uint8_t>(config.reorder().delay_ms());
  return absl::OkStatus();
}

absl::Status ToLimitsAndOuter(const v1::CallConfig& config, CallSpec* spec) {
  absl::Status status = CheckNumber("idle_timeout_s", config.idle_timeout_s(), kMaxIdleS);
  status.Update(CheckNumber("peer_window", config.peer_window(), 65535));
  status.Update(CheckNumber("outer.dscp", config.outer().dscp(), 63));
  status.Update(CheckNumber("filter", config.filter(), kMaxFilterId));
  status.Update(CheckNumber("ack_delay_ms", config.ack_delay_ms(), AckDelay::kMaxMs));
  if (!status.ok()) return status;
  spec->idle_timeout_s = config.idle_timeout_s();
  spec->octet_quota = config.octet_quota();
  spec->peer_window = static_cast<uint16_t>(config.peer_window());
  spec->filter = static_cast<uint16_t>(config.filter());
  if (config.ack_delay_ms() != 0) {
    spec->ack_delay_ms = static_cast<uint16_t>(config.ack_delay_ms());
  }
  spec->outer.dont_fragment = config.outer().dont_fragment();
  spec->outer.copy_dscp = config.outer().copy_dscp();
  spec->outer.dscp = static_cast<uint8_t>(config.outer().dscp());
  return absl::OkStatus();
}

void FromPolicer(const PolicerSpec& spec, v1::Policer* out) {
  out->set_committed_bps(spec.committed_bps);
  out->set_peak_bps(spec.peak_bps);
  out->set_committed_burst(spec.committed_burst);
  out->set_excess_burst(spec.excess_burst);
}

void FromKeepalive(const KeepaliveSpec& spec, v1::Keepalive* out) {
  out->set_interval_s(spec.interval_s);
  out->set_misses(spec.misses);
  out->set_magic(spec.magic);
  out->set_peer_magic(spec.peer_magic);
}

}  // namespace

absl::Status ToFeatures(const v1::CallConfig& config, CallSpec* spec) {
  absl::Status status = ToRoutes(config, spec);
  status.Update(ToIpv6(config, spec));
  status.Update(ToPolicers(config, spec));
  status.Update(ToKeepalive(config, spec));
  status.Update(ToReorder(config, spec));
  status.Update(ToLimitsAndOuter(config, spec));
  return status;
}

void FromFeatures(const CallSpec& spec, v1::CallConfig* config) {
  for (const PrefixSpec& route : spec.routes) FromPrefix(route, config->add_routes());
  if (spec.ipv6.enabled) {
    config->mutable_ipv6()->set_interface_id(spec.ipv6.interface_id);
    if (spec.ipv6.prefix.len != 0) {
      FromPrefix(spec.ipv6.prefix, config->mutable_ipv6()->mutable_prefix());
    }
  }
  if (spec.upstream_policer.committed_bps != 0) {
    FromPolicer(spec.upstream_policer, config->mutable_upstream_policer());
  }
  if (spec.downstream_policer.committed_bps != 0) {
    FromPolicer(spec.downstream_policer, config->mutable_downstream_policer());
  }
  if (spec.keepalive.enabled) FromKeepalive(spec.keepalive, config->mutable_keepalive());
  config->set_idle_timeout_s(spec.idle_timeout_s);
  config->set_octet_quota(spec.octet_quota);
  config->mutable_reorder()->set_packets(spec.reorder.packets);
  config->mutable_reorder()->set_delay_ms(spec.reorder.delay_ms);
  config->set_peer_window(spec.peer_window);
  config->set_filter(spec.filter);
  config->set_ack_delay_ms(spec.ack_delay_ms);
  config->mutable_outer()->set_dont_fragment(spec.outer.dont_fragment);
  config->mutable_outer()->set_copy_dscp(spec.outer.copy_dscp);
  config->mutable_outer()->set_dscp(spec.outer.dscp);
}

}  // namespace culvert::dataplane
