// Encryption: MPPE of many calls in the client's role, a batch at a time, with the data plane's
// engine. The receiver of stateful mode is as Linux's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "controlplane/client_role/ppp_client.h"
#include "dataplane/mppe/engine.h"
#include "dataplane/mppe/send.h"

namespace culvert::load {

// CallKeys: the state of one call's two directions. Made anew each time that CCP opens.
class CallKeys {
 public:
  using Agreed = client_role::PppClient::Encryption;
  // nullptr: the method of authentication gave no key of that length.
  static std::unique_ptr<CallKeys> Create(const Agreed& agreed, const Secret& send_key,
                                          const Secret& receive_key,
                                          const dataplane::mppe::Sha1& sha1);
  static std::unique_ptr<CallKeys> Create(const client_role::PppClient& ppp,
                                          const dataplane::mppe::Sha1& sha1);
  ~CallKeys();
  CallKeys(const CallKeys&) = delete;
  CallKeys& operator=(const CallKeys&) = delete;

  [[nodiscard]] uint32_t epoch() const { return epoch_; }
  // wants_reset: frames of stateful mode were lost, and the server is to be told once.
  [[nodiscard]] bool TakeWantsReset() { return std::exchange(wants_reset_, false); }

 private:
  friend class Encryption;
  struct Rows {
    dataplane::mppe::StatefulRow send{}, receive{};
  };

  CallKeys() = default;

  dataplane::MppeState send_{}, receive_{};
  std::unique_ptr<Rows> rows_;  // of stateful mode
  uint32_t epoch_ = 0;
  bool discards_ = false, wants_reset_ = false;
};

// One per thread.
class Encryption {
 public:
  static constexpr unsigned kMaxFrames = dataplane::mppe::Sender::kMaxFrames;

  // Create gives nullptr when ipsec-mb cannot run on this processor.
  static std::unique_ptr<Encryption> Create();

  [[nodiscard]] const dataplane::mppe::Sha1& sha1() const { return *sha1_; }

  // Seal fills the two header octets before `text`, which RunSend() encrypts in place; at most
  // kMaxFrames before it.
  void Seal(CallKeys* keys, uint8_t* header, std::span<uint8_t> text);
  void RunSend() { sender_.Run(); }
  // Flush: the server has sent a Reset-Request.
  void Flush(CallKeys* keys);

  enum class Planned : uint8_t { kYes, kLate, kDiscarded, kMalformed };
  // Open plans to decrypt `frame`, from the MPPE header on; RunReceive() does it in place. At most
  // kMaxFrames before it, and the keys stay until then.
  Planned Open(CallKeys* keys, std::span<uint8_t> frame);
  void RunReceive();

 private:
  Encryption(std::unique_ptr<dataplane::mppe::Engine> engine,
             std::unique_ptr<dataplane::mppe::Sha1> sha1)
      : engine_(std::move(engine)), sha1_(std::move(sha1)), sender_(engine_.get()) {}

  Planned OpenStateful(CallKeys* keys, uint16_t header, std::span<uint8_t> text);

  std::unique_ptr<dataplane::mppe::Engine> engine_;
  std::unique_ptr<dataplane::mppe::Sha1> sha1_;
  dataplane::mppe::Sender sender_;
  std::array<dataplane::mppe::StatelessJob, kMaxFrames> jobs_;
  std::array<dataplane::MppeState*, kMaxFrames> states_{};
  std::array<dataplane::mppe::StatefulJob, kMaxFrames> stateful_jobs_;
  unsigned num_jobs_ = 0, num_stateful_ = 0;
};

}  // namespace culvert::load
