// OptionPolicy: what one side wants and accepts in one protocol's options. The Negotiator does
// all the rest, so a server and a client differ in their policies only.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "proto/wire/ppp.h"

namespace culvert::ppp {

enum class Judgement : uint8_t {
  kAck,
  kNak,        // a better value has been added to the Nak
  kReject,     // unknown or not negotiable here
  kMalformed,  // impossible length: the whole packet is dropped
};

using Options = std::vector<wire::ppp::Option>;

// One thread. Options are borrowed for the call.
class OptionPolicy {
 public:
  virtual ~OptionPolicy() = default;

  // Reset: a negotiation starts (again); what the peer had before does not count any more.
  virtual void Reset() = 0;

  // EmitRequest adds the options of our next Configure-Request.
  virtual void EmitRequest(wire::ppp::OptionList* out) = 0;
  // OnNak and OnReject: the peer's answer to it, option by option.
  virtual void OnNak(const wire::ppp::Option& option) = 0;
  virtual void OnReject(const wire::ppp::Option& option) = 0;

  // BeginRequest shows the whole of a peer's Configure-Request before its options are judged.
  virtual void BeginRequest(const Options& options) {}
  virtual Judgement Judge(const wire::ppp::Option& option, wire::ppp::OptionList* naks) = 0;
  // AddMissing adds to a Nak what the request should have had. Only asked when none of its
  // options is to be rejected.
  virtual void AddMissing(const Options& options, wire::ppp::OptionList* naks) {}
  // Accept: the request is going to be acknowledged.
  virtual void Accept(const Options& options) = 0;

  // failure says why the negotiation cannot succeed any more; empty while it can.
  [[nodiscard]] std::string_view failure() const { return failure_; }

 protected:
  // Fail: `why` is a literal.
  void Fail(std::string_view why) {
    if (failure_.empty()) {
      failure_ = why;
    }
  }

 private:
  std::string_view failure_;
};

// Find gives the first option of a type, or nullptr.
[[nodiscard]] inline const wire::ppp::Option* Find(const Options& options, uint8_t type) {
  for (const wire::ppp::Option& option : options) {
    if (option.type == type) {
      return &option;
    }
  }
  return nullptr;
}

}  // namespace culvert::ppp
