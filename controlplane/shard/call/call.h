// Call: one call from Outgoing-Call-Request to the data plane's last word on it. It joins the
// control connection it came by, its PPP side and its entry in the data plane. Of its shard's
// thread; kept alive by its connection, and after its end by the removal that is under way.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ppp/call.h"
#include "controlplane/pptp/control_connection.h"
#include "controlplane/shard/alarm.h"
#include "controlplane/shard/call/call_identity.h"
#include "controlplane/shard/call/call_ipv6.h"
#include "controlplane/shard/call/call_report.h"
#include "controlplane/shard/call/call_terms.h"
#include "controlplane/shard/services.h"

namespace culvert {

class Shard;
struct HookFacts;

// CallOwner is the control connection of a call.
class CallOwner {
 public:
  virtual ~CallOwner() = default;
  // Accept sends Outgoing- or Incoming-Call-Reply; false: the call has gone meanwhile.
  virtual bool Accept(uint16_t call_id) = 0;
  // Refuse and Disconnect tell the client and forget the call.
  virtual void Refuse(uint16_t call_id, pptp::Refusal refusal) = 0;
  virtual void Disconnect(uint16_t call_id, pptp::DisconnectResult result,
                          std::string_view statistics) = 0;
};

class Call : public std::enable_shared_from_this<Call> {
 public:
  // `shard` outlives the call, `owner` until OnOwnerLost() or the call's end.
  Call(Shard* shard, CallOwner* owner, const CallIdentity& identity);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Begin asks the data plane for the call. GRE never hits an unknown one, so Outgoing-Call-Reply
  // waits for the answer.
  void Begin();
  // OnConnected: the dial-in PAC has answered its line.
  void OnConnected(uint16_t peer_window);
  void OnFrame(wire::Octets frame);
  void OnEvent(dataplane::v1::Event::Kind kind);
  // Change: INVALID_ARGUMENT and what else the data plane says; then nothing is changed.
  void Change(CallChange change, CallChanged done);
  // OnClearRequest: the client hangs up and waits for Call-Disconnect-Notify.
  void OnClearRequest();
  // OnOwnerLost: the client has left the call or its control connection is gone.
  void OnOwnerLost(EndCause cause, std::string_view reason);
  void OnDataplaneDown();
  // Terminate ends the call through LCP. Shutdown ends it at once.
  void Terminate(EndCause cause, std::string_view reason);
  void Shutdown();

  [[nodiscard]] uint64_t id() const { return report_.id(); }
  [[nodiscard]] uint64_t handle() const { return handle_; }

 private:
  // kProgramming: waits for its first upsert; kAccepted: LCP has not begun; kRunning: it has.
  enum class Step : uint8_t { kProgramming, kAccepted, kRunning, kEnded };

  void OnFirstUpsert(const dataplane::v1::Result& result);
  void OnUpsert(const dataplane::v1::Result& result);
  void OnRemoved(const dataplane::v1::CallCounters& totals);
  void AwaitPeer();
  void StartPpp();
  void OnAlarm();
  // Pump carries out PPP's effects in order, as far as the data plane has confirmed.
  void Pump();
  void Apply(ppp::SendFrame& effect);
  void Apply(ppp::Program& effect);
  void Apply(ppp::Authenticate& effect);
  void Apply(ppp::Authenticated& effect);
  void Apply(ppp::Up& effect);
  void Apply(ppp::Ipv6Up& effect);
  void Apply(ppp::Ipv6Down& effect);
  void Apply(ppp::Ipv6Packet& effect);
  void Apply(ppp::Changed& effect);
  void Apply(ppp::Ended& effect);
  void Say(CallIpv6::Frames frames);  // after what the data plane must know first
  void OnAuthResult(AuthMethod method, AuthResult result);
  // EndThroughLcp tells the client; the call ends as `cause` when it has answered or time is over.
  void EndThroughLcp(EndCause cause, pptp::DisconnectResult result, std::string_view reason);
  // SessionIsOver: its session timeout has come and the call does not end for it yet.
  [[nodiscard]] bool SessionIsOver() const;
  [[nodiscard]] std::optional<uint64_t> session_deadline_ms() const;
  void SetAlarm();
  void End(EndCause cause, std::string_view reason, std::optional<pptp::DisconnectResult> notify);
  [[nodiscard]] dataplane::v1::Operation UpsertOperation();
  void Upsert(const ppp::DataplaneState& state);
  // call_hooks.cc: programs are run for the call's steps.
  void RunUpHooks(const ppp::Up& up);
  void RunChangeHook();
  void RunDownHook(const dataplane::v1::CallCounters& totals);

  Shard* const shard_;
  const std::shared_ptr<const ShardSettings> settings_;  // since the call began
  CallOwner* owner_;                                     // null after the end
  CallIdentity identity_;
  CallReport report_;
  Step step_ = Step::kProgramming;
  uint64_t handle_ = 0;
  Lease lease_;  // ours to give back
  CallTerms terms_;
  CallIpv6 ipv6_;
  uint64_t up_ms_ = 0;        // 0: not up yet
  bool unconfirmed_ = false;  // an upsert of PPP's is under way
  bool pumping_ = false;
  bool ending_ = false;                  // through LCP
  EndCause end_cause_ = EndCause::kPpp;  // also why LCP is asked to end the call
  pptp::DisconnectResult end_result_ = pptp::DisconnectResult::kLostCarrier;
  std::string end_reason_;
  std::unique_ptr<ppp::Program> programmed_;  // by the upsert that is under way, or null
  std::list<ppp::Effect> effects_;            // mostly empty, and then it takes nothing
  std::unique_ptr<ppp::PppCall> ppp_;
  std::unique_ptr<HookFacts> hook_facts_;  // of a call whose ip-up was run
  Alarm alarm_;
};

}  // namespace culvert
