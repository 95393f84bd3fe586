// CcpPolicy: the server's side of CCP (RFC 1962), where MPPE (RFC 3078 s2) is the only option.
#pragma once

#include <cstdint>

#include "controlplane/ppp/options/option_policy.h"

namespace culvert::ppp {

class CcpPolicy final : public OptionPolicy {
 public:
  // `allowed`: a mask of k40Bit, k56Bit, k128Bit; at least one. Stateless mode is asked for;
  // `allow_stateful`: the peer gets the other one when it insists. `want_stateful`: it is we who
  // insist on it, which a client may.
  CcpPolicy(uint32_t allowed, bool allow_stateful, bool want_stateful = false)
      : allowed_(allowed),
        allow_stateful_(allow_stateful),
        want_stateful_(want_stateful),
        requested_(allowed),
        receive_stateful_(want_stateful) {}

  void Reset() override {
    accepted_ = 0;
    send_stateful_ = false;
  }
  void EmitRequest(wire::ppp::OptionList* out) override;
  void OnNak(const wire::ppp::Option& option) override;
  void OnReject(const wire::ppp::Option& option) override;
  Judgement Judge(const wire::ppp::Option& option, wire::ppp::OptionList* naks) override;
  void AddMissing(const Options& options, wire::ppp::OptionList* naks) override;
  void Accept(const Options& options) override;

  // receive_bits: the key length of what the peer sends us, as our request says it: 40, 56,
  // 128. Nothing is known as long as the request leaves a choice: 0.
  [[nodiscard]] uint16_t receive_bits() const;
  // send_bits: of what we send, as the peer's acknowledged request says it; 0: none.
  [[nodiscard]] uint16_t send_bits() const;
  [[nodiscard]] uint16_t strongest_bits() const;
  // receive_stateful, send_stateful: the mode of each direction, of the same requests.
  [[nodiscard]] bool receive_stateful() const { return receive_stateful_; }
  [[nodiscard]] bool send_stateful() const { return send_stateful_; }

 private:
  // ModeFor: the mode bit that we answer to a request with these bits.
  [[nodiscard]] uint32_t ModeFor(uint32_t asked) const;

  const uint32_t allowed_;
  const bool allow_stateful_, want_stateful_;
  uint32_t requested_;             // the mask in our request; narrowed by the peer's Nak, for good
  uint32_t accepted_ = 0;          // the one bit of the peer's request
  bool receive_stateful_ = false;  // as our request says; set by the peer's Nak, for good
  bool send_stateful_ = false;
  uint32_t num_empty_ = 0;
};

}  // namespace culvert::ppp
