// SourceGate holds a shard's clients to pptp.sources: who may connect, and how much of it one
// source may do. It counts and logs whom it turns away. Of its shard's thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "controlplane/logging/log_limit.h"
#include "controlplane/pptp/control_settings.h"
#include "proto/config/address/address.h"

namespace culvert {

struct Services;

class SourceGate {
 public:
  // `services` outlives the gate.
  explicit SourceGate(const Services* services) : services_(services) {}

  // AdmitConnection: false: close it. An admitted one is taken back by OnClosed(). Addresses are
  // in host order.
  [[nodiscard]] bool AdmitConnection(uint32_t address);
  // JudgeStart answers the Start of an admitted connection, half-open until then; its address is to
  // be in one of the `allowed`.
  [[nodiscard]] pptp::StartVerdict JudgeStart(uint32_t address,
                                              std::span<const config::Ipv4Prefix> allowed);
  [[nodiscard]] bool AdmitCall(uint32_t address);
  void OnClosed(uint32_t address, bool half_open);

 private:
  void LogRefused(std::string_view what, uint32_t address, std::string_view why);

  const Services* const services_;
  LogLimit log_limit_{std::chrono::seconds(10)};
};

}  // namespace culvert
