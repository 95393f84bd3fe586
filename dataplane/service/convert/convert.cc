#include "dataplane/service/convert/convert.h"

#include <absl/strings/str_cat.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "dataplane/service/convert/call_features.h"
#include "dataplane/service/convert/prefix_convert.h"

namespace culvert::dataplane {
namespace {

constexpr uint32_t kDefaultMru = 1500;
// RFC 791 s3.2: every host takes 68 octets without fragmentation.
constexpr uint32_t kMinMtu = 68;
constexpr uint32_t kMaxMtu = 65535;

absl::StatusOr<MppeKeySpec> ToKey(const char* field, const v1::MppeKey& key) {
  if (key.bits() != 40 && key.bits() != 56 && key.bits() != 128) {
    return WrongField(absl::StrCat(field, ".bits"), key.bits(), "40, 56, 128");
  }
  // RFC 3079 s2: the start key of 40 and 56 bit is 8 octets long.
  const size_t len = key.bits() == 128 ? 16 : 8;
  if (key.start_key().size() != len) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".start_key: ", key.start_key().size(),
                                                   " octets; ", key.bits(), " bit has ", len));
  }
  MppeKeySpec spec;
  spec.bits = static_cast<uint16_t>(key.bits());
  spec.epoch = key.epoch();
  spec.stateful = key.stateful();
  std::copy(key.start_key().begin(), key.start_key().end(), spec.start_key.begin());
  return spec;
}

absl::Status CheckIdentity(const v1::CallConfig& config) {
  if (config.local_address() == 0) return WrongField("local_address", 0, "an IPv4 address");
  if (config.peer_address() == 0) return WrongField("peer_address", 0, "an IPv4 address");
  if (config.call_id() < 1 || config.call_id() > 65535) {
    return WrongField("call_id", config.call_id(), "1 to 65535");
  }
  if (config.peer_call_id() > 65535) {
    return WrongField("peer_call_id", config.peer_call_id(), "0 to 65535");
  }
  return absl::OkStatus();
}

absl::Status CheckLimits(const v1::CallConfig& config) {
  if (config.peer_mru() != 0 && (config.peer_mru() < kMinMtu || config.peer_mru() > kMaxMtu)) {
    return WrongField("peer_mru", config.peer_mru(), "0 (1500), or 68 to 65535");
  }
  if (config.mtu() != 0 && (config.mtu() < kMinMtu || config.mtu() > kMaxMtu)) {
    return WrongField("mtu", config.mtu(), "0 (from peer_mru), or 68 to 65535");
  }
  if (config.receive_window() > 65535) {
    return WrongField("receive_window", config.receive_window(), "0 (64), or 1 to 65535");
  }
  if (config.record().size() > kMaxRecordLen) {
    return absl::InvalidArgumentError(
        absl::StrCat("record: ", config.record().size(), " octets; at most ", kMaxRecordLen));
  }
  return absl::OkStatus();
}

void CopyPlainFields(const v1::CallConfig& config, CallSpec* spec) {
  spec->handle = config.handle();
  spec->local_address = config.local_address();
  spec->peer_address = config.peer_address();
  spec->call_id = static_cast<uint16_t>(config.call_id());
  spec->peer_call_id = static_cast<uint16_t>(config.peer_call_id());
  spec->send_acfc = config.send_acfc();
  spec->send_pfc = config.send_pfc();
  spec->peer_mru = static_cast<uint16_t>(config.peer_mru() == 0 ? kDefaultMru : config.peer_mru());
  spec->mtu = static_cast<uint16_t>(config.mtu());
  spec->client_address = config.client_address();
  spec->require_encryption = config.require_encryption();
  if (config.receive_window() != 0) {
    spec->receive_window = static_cast<uint16_t>(config.receive_window());
  }
  spec->record = config.record();
}

void FromKey(const MppeKeySpec& spec, v1::MppeKey* out) {
  out->set_bits(spec.bits);
  out->set_epoch(spec.epoch);
  out->set_stateful(spec.stateful);
}

v1::Event::Kind KindOf(CallEvent::Kind kind) {
  switch (kind) {
    case CallEvent::Kind::kDead:
      return v1::Event::DEAD;
    case CallEvent::Kind::kIdle:
      return v1::Event::IDLE;
    case CallEvent::Kind::kQuota:
      return v1::Event::QUOTA;
    case CallEvent::Kind::kMppeFailed:
      return v1::Event::MPPE_FAILED;
    case CallEvent::Kind::kSequenceRestart:
      return v1::Event::SEQUENCE_RESTART;
  }
  return v1::Event::KIND_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<CallSpec> ToCallSpec(const v1::CallConfig& config) {
  absl::Status status = CheckIdentity(config);
  status.Update(CheckLimits(config));
  if (!status.ok()) return status;
  CallSpec spec;
  CopyPlainFields(config, &spec);
  status.Update(ToFeatures(config, &spec));
  if (!status.ok()) return status;
  for (auto [field, present, key, out] :
       {std::tuple{"receive", config.has_receive(), &config.receive(), &spec.receive},
        std::tuple{"send", config.has_send(), &config.send(), &spec.send}}) {
    if (!present) continue;
    absl::StatusOr<MppeKeySpec> parsed = ToKey(field, *key);
    if (!parsed.ok()) {
      WipeKeys(&spec);
      return parsed.status();
    }
    *out = *parsed;
    OPENSSL_cleanse(parsed->start_key.data(), parsed->start_key.size());
  }
  return spec;
}

void WipeKeys(CallSpec* spec) {
  for (auto* key : {&spec->receive, &spec->send}) {
    if (*key) OPENSSL_cleanse((*key)->start_key.data(), (*key)->start_key.size());
  }
}

void WipeKeys(v1::CallConfig* config) {
  const auto wipe = [](std::string* key) { OPENSSL_cleanse(key->data(), key->size()); };
  if (config->has_receive()) wipe(config->mutable_receive()->mutable_start_key());
  if (config->has_send()) wipe(config->mutable_send()->mutable_start_key());
}

void FromTotals(uint64_t handle, const CallTotals& totals, v1::CallCounters* out) {
  out->set_handle(handle);
  out->set_upstream_packets(totals.upstream_packets);
  out->set_upstream_octets(totals.upstream_octets);
  out->set_upstream_drops(totals.upstream_drops);
  out->set_downstream_packets(totals.downstream_packets);
  out->set_downstream_octets(totals.downstream_octets);
  out->set_downstream_drops(totals.downstream_drops);
}

void FromEntry(const CallEntry& entry, v1::ListResponse::Entry* out) {
  const CallSpec& spec = entry.spec;
  v1::CallConfig* config = out->mutable_config();
  config->set_handle(spec.handle);
  config->set_local_address(spec.local_address);
  config->set_call_id(spec.call_id);
  config->set_peer_address(spec.peer_address);
  config->set_peer_call_id(spec.peer_call_id);
  config->set_send_acfc(spec.send_acfc);
  config->set_send_pfc(spec.send_pfc);
  config->set_peer_mru(spec.peer_mru);
  config->set_mtu(spec.mtu);
  config->set_client_address(spec.client_address);
  config->set_require_encryption(spec.require_encryption);
  if (spec.receive) FromKey(*spec.receive, config->mutable_receive());
  if (spec.send) FromKey(*spec.send, config->mutable_send());
  config->set_receive_window(spec.receive_window);
  config->set_record(spec.record);
  FromFeatures(spec, config);
  FromTotals(spec.handle, entry.totals, out->mutable_counters());
  out->set_worker(entry.worker);
}

void FromWorker(uint32_t worker, const WorkerTotals& totals, v1::WorkerCounters* out) {
  out->set_worker(worker);
  out->set_received(totals.received);
  out->set_transmitted(totals.transmitted);
  out->set_punted(totals.punted);
  out->set_handed_over(totals.handed_over);
  out->set_icmp_errors(totals.icmp_errors);
  out->set_icmp_suppressed(totals.icmp_suppressed);
  for (const DropTotal& drop : totals.drops) {
    v1::DropCounter* counter = out->add_drops();
    counter->set_reason(drop.name);
    counter->set_text(drop.text);
    counter->set_source(drop.source);
    counter->set_packets(drop.packets);
  }
  out->set_consumed(totals.consumed);
  for (const StageTotal& stage : totals.stages) {
    v1::StageCounter* counter = out->add_stages();
    counter->set_name(stage.name);
    counter->set_packets(stage.packets);
    counter->set_cycles(stage.cycles);
  }
  out->set_hand_over_depth(totals.hand_over_depth);
  out->set_punted_depth(totals.punted_depth);
  out->set_events_depth(totals.events_depth);
  out->mutable_rounds()->Add(totals.rounds.counts.begin(), totals.rounds.counts.end());
  out->set_rounds_us(totals.rounds.total_us);
  out->set_longest_round_us(totals.rounds.longest_us);
}

void FromEvent(const CallEvent& event, v1::Event* out) {
  out->set_handle(event.handle);
  out->set_kind(KindOf(event.kind));
  out->set_time_ms(static_cast<uint64_t>(event.time_ms));
}

void FromTraced(const TracedPacket& packet, v1::TracedPacket* out) {
  out->set_time_ns(static_cast<uint64_t>(packet.time_ns));
  out->set_length(packet.len);
  out->set_downstream(packet.downstream);
  out->set_worker(packet.worker);
  for (const TracedStep& step : packet.steps) {
    v1::TracedStep* to = out->add_steps();
    to->set_name(step.name);
    to->set_verdict(step.verdict);
    if (step.drop_reason != nullptr) to->set_drop_reason(step.drop_reason);
  }
}

void FromResult(const absl::Status& status, v1::Result* out) {
  out->set_code(static_cast<int32_t>(status.code()));
  out->set_message(status.message().data(), status.message().size());
}

}  // namespace culvert::dataplane
