// Session: one control connection and one call against the server, for one case. Everything waits
// with a deadline; one thread. When a step of bringing up fails, problem() says why and the steps
// after it fail too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tools/load/conformance/case.h"
#include "tools/load/conformance/session/control.h"
#include "tools/load/conformance/session/peer.h"
#include "tools/load/conformance/session/tunnel.h"

namespace culvert::load::conformance {

class Session {
 public:
  // `target` and `survey` outlive the session.
  Session(const Target* target, const Survey* survey);
  // The end is that of a good client, whatever happened: Call-Clear, Stop, close.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The stages of a call; each does those before it that have not been done.
  bool Connect();       // TCP
  bool Start();         // Start-Control-Connection
  bool Dial();          // Outgoing-Call; GRE may flow
  bool OpenLcp();       // LCP is open both ways; no login from here on
  bool Authenticate();  // as target's user
  // Up: IPCP is open, and MPPE with `bits` of option 18. kAsOffered: MPPE-128 when the server has
  // it for this user, else none.
  static constexpr uint32_t kAsOffered = UINT32_MAX;
  bool Up(uint32_t bits = kAsOffered);
  // Broken is the result of a case whose call did not get as far as it must.
  [[nodiscard]] Result Broken() const;
  [[nodiscard]] const std::string& problem() const { return problem_; }

  // Wait handles all that comes until `done` or the end of `ms`; says whether `done`.
  bool Wait(const std::function<bool()>& done, int ms = -1);
  // Quiet handles what comes for as long as an answer takes that must not come.
  void Quiet() {
    Wait([] { return false; }, target_->quiet_ms);
  }

  // Await: the next control message of a type, after those that have been looked at.
  template <typename T>
  std::optional<T> Await(int ms = -1) {
    std::optional<T> found;
    Wait(
        [&] {
          while (!found && control.mark < control.heard().size()) {
            if (const T* one = std::get_if<T>(&control.heard()[control.mark++])) {
              found = *one;
            }
          }
          return found.has_value() || control.closed();
        },
        ms);
    return found;
  }
  bool WaitClosed(int ms = -1) {
    return Wait([this] { return control.closed(); }, ms);
  }
  // AwaitPpp: the next packet for which `wanted`, after those that have been looked at.
  std::optional<PppPacket> AwaitPpp(const std::function<bool(const PppPacket&)>& wanted,
                                    int ms = -1);
  std::optional<PppPacket> AwaitPpp(uint16_t protocol, uint8_t code, int ms = -1);
  // Ask sends a control packet and awaits the answer: a packet of the same protocol with the same
  // identifier, or an LCP Code-Reject or Protocol-Reject.
  std::optional<PppPacket> Ask(uint16_t protocol, uint8_t code, uint8_t identifier, Octets data,
                               int ms = -1);
  std::optional<PppPacket> Ask(uint16_t protocol, uint8_t code, Octets data, int ms = -1) {
    return Ask(protocol, code, ppp.NextIdentifier(), data, ms);
  }
  // Forget: what came so far is not looked at any more.
  void Forget();

  // Alive: LCP answers an Echo-Request; the call goes on. Only with LCP open.
  bool Alive(int ms = -1);
  // Ping through the tunnel; `len` octets of ICMP data. The replies' IP packets are heard.
  bool Ping(size_t len = 32, int ms = -1);
  void SendPing(uint16_t sequence, size_t len = 32);
  [[nodiscard]] std::vector<uint8_t> PingPacket(uint16_t sequence, size_t len) const;
  // HeardPing: the reply to the ping of `sequence` has come.
  [[nodiscard]] bool HeardPing(uint16_t sequence) const;
  // Echo frame: an LCP Echo-Request with FF 03, and whether its reply was heard.
  [[nodiscard]] std::vector<uint8_t> EchoFrame(uint8_t identifier, size_t len = 0) const;
  [[nodiscard]] unsigned CountEchoReplies(uint8_t identifier) const;
  // ControlAlive: the server answers an Echo-Request on the control connection.
  bool ControlAlive();
  // ServerAlive: the server takes a new control connection.
  [[nodiscard]] bool ServerAlive() const;
  // Ended: the server ended the call (Terminate-Request, Call-Disconnect-Notify or the end of the
  // connection) within `ms`.
  bool Ended(int ms = -1);

  [[nodiscard]] bool Offers(uint32_t needs) const { return (survey_->offers & needs) == needs; }
  [[nodiscard]] const Target& target() const { return *target_; }
  [[nodiscard]] const Survey& survey() const { return *survey_; }
  // Heard: what came since the last look, for Result::came_back.
  [[nodiscard]] std::string HeardControl() const { return control.Summary(control_from_); }
  [[nodiscard]] std::string HeardPpp() const { return ppp.Summary(ppp_from_); }

  Control control;
  Tunnel tunnel;
  Peer ppp;
  wire::pptp::StartReply start_reply;
  wire::pptp::OutgoingCallReply call_reply;
  wire::pptp::OutgoingCallRequest call_request;  // to be changed before Dial

  [[nodiscard]] static uint16_t NewCallId();
  [[nodiscard]] static uint64_t NowMs();

 private:
  bool Fail(std::string problem);
  bool BringLcp();
  void Read();

  const Target* const target_;
  const Survey* const survey_;
  std::string problem_;
  bool started_ = false, dialled_ = false, retried_ = false;
  uint16_t ping_sequence_ = 0;
  size_t control_from_ = 0, ppp_from_ = 0;
};

}  // namespace culvert::load::conformance
