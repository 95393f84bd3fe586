// Frames that no client would send: a call must survive them, end once, and stay within bounds.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "controlplane/ppp/call_script.h"
#include "tests/vectors/vectors.h"

namespace culvert::ppp::testing {
namespace {

using culvert::testing::FromHex;

constexpr size_t kMaxEffects = 64;  // of one input

class RandomPeer {
 public:
  explicit RandomPeer(uint32_t seed) : random_(seed) {
    PppSettings settings = TestSettings();
    settings.mppe = static_cast<MppePolicy>(Below(3));
    settings.methods = {AuthMethod::kMsChapV2, AuthMethod::kPap, AuthMethod::kChapMd5,
                        AuthMethod::kMsChap};
    settings.echo_interval_s = 5;
    const Random source = [this](std::span<uint8_t> out) {
      for (uint8_t& octet : out) {
        octet = static_cast<uint8_t>(random_());
      }
    };
    call_ = std::make_unique<PppCall>(std::make_shared<PppSettings>(settings), source, &counters_,
                                      now_ms_);
    corpus_ = {FromHex(Lcp(1, 1, "01040578050612b86bf007020802")),
               FromHex(Lcp(9, 3, "12b86bf0")),
               FromHex(Ccp(1, 1, "120601000040")),
               FromHex(Ipcp(1, 1, "03060a4d000a")),
               FromHex(Pap(1, 1, "05616c69636506736563726574")),
               FromHex(Ccp(5, 1)),
               FromHex(Lcp(8, 1, "80fd0101"))};
    call_->Start(now_ms_);
    Take();
  }

  // Step: mostly the peer answers kindly; else it repeats something with errors, sends noise, or
  // time passes. Some peers are ruder than others.
  void Step() {
    const uint32_t dice = Below(rudeness_);
    if (dice == 0) {
      now_ms_ += Below(3000);
      call_->OnTimer(now_ms_);
    } else if (dice == 1) {
      call_->OnFrame(Noise(), now_ms_);
    } else if (dice <= 3) {
      call_->OnFrame(Spoilt(), now_ms_);
    } else if (dice == 4) {
      call_->OnAuthResult(Below(8) == 0 ? Rejected() : Accepted(), now_ms_);
    } else {
      call_->OnFrame(Kind(), now_ms_);
    }
    Take();
  }

  [[nodiscard]] size_t num_ends() const { return num_ends_; }
  [[nodiscard]] bool was_up() const { return was_up_; }
  PppCall& call() { return *call_; }
  void Finish() {
    call_->Terminate("done", now_ms_);
    for (int i = 0; i < 10; ++i) {
      now_ms_ += 5000;
      call_->OnTimer(now_ms_);
      Take();
    }
  }

 private:
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  std::vector<uint8_t> Noise() {
    std::vector<uint8_t> frame(Below(80));
    for (uint8_t& octet : frame) {
      octet = static_cast<uint8_t>(random_());
    }
    return frame;
  }
  std::vector<uint8_t> Spoilt() {
    std::vector<uint8_t> frame = corpus_[Below(static_cast<uint32_t>(corpus_.size()))];
    for (uint32_t i = 0; i < 1 + Below(3); ++i) {
      frame[Below(static_cast<uint32_t>(frame.size()))] = static_cast<uint8_t>(random_());
    }
    return frame;
  }
  // Kind: acknowledges a request, answers a Challenge, or sends one of the good requests.
  std::vector<uint8_t> Kind() {
    std::vector<uint8_t> frame = corpus_[Below(5)];
    const uint32_t which = Below(4);
    if (which < requests_.size() && !requests_[which].empty()) {
      frame = requests_[which];
      const bool is_challenge = frame[0] == 0xc2;
      frame[2] = 2;  // Configure-Ack, or Response
      if (is_challenge) {
        const size_t len = Below(3) == 0 ? 16 : 49;
        frame.resize(7 + len, 1);
        frame[5] = static_cast<uint8_t>(5 + len);
        frame[6] = static_cast<uint8_t>(len);
      }
    }
    return frame;
  }
  void Remember(const std::vector<uint8_t>& frame) {
    constexpr std::array<uint16_t, 4> kProtocols = {0xc021, 0xc223, 0x80fd, 0x8021};
    for (size_t i = 0; i < kProtocols.size(); ++i) {
      if ((frame[0] << 8 | frame[1]) == kProtocols[i] && frame[2] == 1) {
        requests_[i] = frame;
      }
    }
    if (corpus_.size() < 64) {
      corpus_.push_back(frame);
    }
  }

  void Take() {
    const std::vector<Effect> effects = call_->TakeEffects();
    EXPECT_LE(effects.size(), kMaxEffects);
    for (const Effect& effect : effects) {
      EXPECT_EQ(num_ends_, 0u);
      num_ends_ += std::holds_alternative<Ended>(effect) ? 1 : 0;
      was_up_ = was_up_ || std::holds_alternative<Up>(effect);
      if (const auto* send = std::get_if<SendFrame>(&effect)) {
        Remember(send->data);
      }
    }
    const auto deadline = call_->deadline_ms();
    EXPECT_EQ(deadline.has_value() && num_ends_ > 0, false);
  }

  std::mt19937 random_;
  const uint32_t rudeness_ = 6 + Below(40);  // the lower the ruder
  uint64_t now_ms_ = 1000;
  PppCounters counters_;
  std::vector<std::vector<uint8_t>> corpus_;
  std::array<std::vector<uint8_t>, 4> requests_;  // the last of LCP, CHAP, CCP, IPCP
  std::unique_ptr<PppCall> call_;
  size_t num_ends_ = 0;
  bool was_up_ = false;
};

TEST(CallRandom, EndsOnceWhateverComes) {
  size_t num_up = 0;
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    RandomPeer peer(seed);
    for (int step = 0; step < 120; ++step) {
      peer.Step();
    }
    num_up += peer.was_up() ? 1 : 0;
    peer.Finish();
    EXPECT_EQ(peer.num_ends(), 1u) << "seed " << seed;
    EXPECT_EQ(peer.call().phase(), Phase::kDead) << "seed " << seed;
  }
  EXPECT_GT(num_up, 200u);  // the walk gets far enough to mean something
}

}  // namespace
}  // namespace culvert::ppp::testing
