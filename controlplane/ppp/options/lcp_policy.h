// LcpPolicy: the server's side of LCP's options (RFC 1661 s6, RFC 1662 s7.1).
#pragma once

#include <cstdint>
#include <vector>

#include "controlplane/ppp/call.h"
#include "controlplane/ppp/options/option_policy.h"

namespace culvert::ppp {

class LcpPolicy final : public OptionPolicy {
 public:
  // What the peer has asked for and got; defaults when it asked for nothing.
  struct Peer {
    uint16_t mru = 1500;
    bool pfc = false;
    bool acfc = false;
    uint32_t magic = 0;
  };

  // `methods`: what we may offer, the best first; not empty. `settings` and `random` outlive the
  // policy.
  LcpPolicy(const PppSettings& settings, std::vector<AuthMethod> methods, const Random& random);

  void Reset() override;
  void EmitRequest(wire::ppp::OptionList* out) override;
  void OnNak(const wire::ppp::Option& option) override;
  void OnReject(const wire::ppp::Option& option) override;
  void BeginRequest(const Options& options) override;
  Judgement Judge(const wire::ppp::Option& option, wire::ppp::OptionList* naks) override;
  void Accept(const Options& options) override;

  [[nodiscard]] const Peer& peer() const { return peer_; }
  [[nodiscard]] uint32_t magic() const { return magic_; }  // ours; 0: not negotiated
  // method: the one that was offered last, so the agreed one once LCP is open.
  [[nodiscard]] AuthMethod method() const { return methods_.front(); }

 private:
  [[nodiscard]] uint32_t NewMagic() const;
  void NextMethod(wire::Octets suggestion);

  const PppSettings& settings_;
  std::vector<AuthMethod> methods_;  // not refused so far; the first is on offer
  const Random& random_;
  Peer peer_;
  uint16_t mru_;
  uint32_t magic_ = 0;
  uint32_t request_magic_ = 0;  // of our last Configure-Request
  bool ask_mru_ = true, ask_magic_ = true, ask_pfc_ = true, ask_acfc_ = true;
  bool looped_request_ = false;  // the request being judged has our own magic number
  uint32_t num_looped_ = 0;
};

// MethodOption gives the value of option 3 (RFC 1334, RFC 1994, RFC 2433, RFC 2759).
[[nodiscard]] std::vector<uint8_t> MethodOption(AuthMethod method);
[[nodiscard]] bool GivesMppeKeys(AuthMethod method);

}  // namespace culvert::ppp
