#include "controlplane/ppp/negotiation/negotiator.h"

#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"
#include "tests/vectors/vectors.h"

namespace culvert::ppp {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using testing::HexOf;
using testing::Packet;

// Policy asks for option 1 with a value that a Nak changes; takes option 2 and nothing else.
class Policy final : public OptionPolicy {
 public:
  void Reset() override { ++num_resets; }
  void EmitRequest(wire::ppp::OptionList* out) override {
    if (value != 0) {
      out->AddU16(1, value);
    }
  }
  void OnNak(const wire::ppp::Option& option) override { value = wire::Reader(option.value).U16(); }
  void OnReject(const wire::ppp::Option&) override { value = 0; }
  Judgement Judge(const wire::ppp::Option& option, wire::ppp::OptionList*) override {
    return option.type == 2 ? Judgement::kAck : Judgement::kReject;
  }
  void Accept(const Options&) override {}

  uint16_t value = 0x1234;
  int num_resets = 0;
};

class NegotiatorTest : public ::testing::Test, public NegotiatorOwner {
 protected:
  void Send(std::vector<uint8_t> frame) override { log_.push_back(ToHex(frame)); }
  void BeforeConfigure(uint16_t, uint8_t) override {}
  void OnLayerUp(uint16_t) override {
    log_.push_back("up");
    if (close_when_up_) {
      negotiator_.Close("", now_ms_);
    }
  }
  void OnLayerDown(uint16_t) override { log_.push_back("down"); }
  void OnLayerFinished(uint16_t) override { log_.push_back("finished"); }
  void OnNegotiationFailed(uint16_t, const std::string& why) override { log_.push_back(why); }
  void OnTerminateRequest(uint16_t) override { log_.push_back("terminate"); }
  void OnExtraPacket(uint16_t, const wire::ppp::ControlPacket& packet) override {
    log_.push_back("extra " + std::to_string(packet.code));
  }
  void OnCodeRejected(uint16_t, uint8_t code) override {
    log_.push_back("rejected " + std::to_string(code));
  }

  static std::string P(int code, int id, const std::string& data = "") {
    return Packet("8021", code, id, data);
  }
  void Receive(int code, int id, const std::string& data = "") {
    negotiator_.OnPacket(wire::Octets(FromHex(P(code, id, data))).subspan(2), now_ms_);
  }
  void Expect(const std::vector<std::string>& log) {
    EXPECT_EQ(log_, log);
    log_.clear();
  }
  void OpenUp() {
    negotiator_.Open(now_ms_);
    negotiator_.Up(now_ms_);
  }
  void GoOpened() {
    OpenUp();
    Receive(2, 1, "01041234");
    Receive(1, 1, "0202");
    EXPECT_TRUE(negotiator_.opened());
    log_.clear();
  }
  // Timeout goes to the deadline and gives how long that took.
  uint64_t Timeout() {
    const uint64_t before = now_ms_;
    now_ms_ = negotiator_.deadline_ms().value();
    negotiator_.OnTimer(now_ms_ - 1);  // too early: nothing
    negotiator_.OnTimer(now_ms_);
    return now_ms_ - before;
  }

  uint64_t now_ms_ = 1000;
  PppSettings settings_;
  PppCounters counters_;
  Policy policy_;
  std::vector<std::string> log_;
  bool close_when_up_ = false;
  Negotiator negotiator_{0x8021, 9, 12, &policy_, this, settings_, &counters_};
};

TEST_F(NegotiatorTest, RestartTimerDoublesUpToThreeTimes) {
  OpenUp();
  Expect({P(1, 1, "01041234")});
  EXPECT_EQ(Timeout(), 1000u);
  EXPECT_EQ(Timeout(), 2000u);
  EXPECT_EQ(Timeout(), 3000u);
  EXPECT_EQ(Timeout(), 3000u);
  // The same content keeps its identifier (RFC 1661 s5.1).
  Expect({P(1, 1, "01041234"), P(1, 1, "01041234"), P(1, 1, "01041234"), P(1, 1, "01041234")});
}

TEST_F(NegotiatorTest, MaxConfigureRequestsThenFinished) {
  OpenUp();
  for (int i = 0; i < 9; ++i) {
    Timeout();
  }
  EXPECT_EQ(log_.size(), 10u);
  log_.clear();
  Timeout();
  Expect({"finished"});
  EXPECT_EQ(negotiator_.state(), State::kStopped);
  EXPECT_FALSE(negotiator_.deadline_ms());
}

TEST_F(NegotiatorTest, MaxTerminateRequestsThenFinished) {
  GoOpened();
  negotiator_.Close("bye", now_ms_);
  Expect({"down", P(5, 2, HexOf("bye"))});
  Timeout();
  Expect({P(5, 2, HexOf("bye"))});
  Timeout();
  Expect({"finished"});
  EXPECT_EQ(negotiator_.state(), State::kClosed);
}

TEST_F(NegotiatorTest, NewIdentifierAfterAnAnswer) {
  OpenUp();
  Receive(3, 1, "01044321");
  Expect({P(1, 1, "01041234"), P(1, 2, "01044321")});
  Receive(4, 2, "01044321");
  Expect({P(1, 3)});
  Receive(2, 3);
  EXPECT_EQ(negotiator_.state(), State::kAckRcvd);
  Timeout();
  Expect({P(1, 4)});
}

TEST_F(NegotiatorTest, TerminateRequestInOpenedWaitsOneTimeout) {
  GoOpened();
  Receive(5, 77, HexOf("later"));
  Expect({"down", P(6, 77), "terminate"});
  EXPECT_EQ(negotiator_.state(), State::kStopping);
  EXPECT_EQ(negotiator_.reason(), "the peer hung up: later");
  Timeout();
  Expect({"finished"});
}

TEST_F(NegotiatorTest, RequestInOpenedNegotiatesAgain) {
  GoOpened();
  EXPECT_EQ(policy_.num_resets, 1);
  Receive(1, 9, "0202");
  Expect({"down", P(1, 2, "01041234"), P(2, 9, "0202")});
  EXPECT_EQ(policy_.num_resets, 2);
  Receive(2, 2, "01041234");
  Expect({"up"});
}

// The Ack was lost, or the request was sent again before it came.
TEST_F(NegotiatorTest, RepeatedRequestInOpenedIsAckedAgain) {
  GoOpened();
  for (int i = 0; i < 3; ++i) {
    Receive(1, 1, "0202");
    Expect({P(2, 1, "0202")});
  }
  EXPECT_TRUE(negotiator_.opened());
  Receive(1, 1, "0203aa");  // the identifier alone does not make it the same
  Expect({"down", P(1, 2, "01041234"), P(2, 1, "0203aa")});
}

// A peer that has begun again with the same identifier and options.
TEST_F(NegotiatorTest, RequestRepeatedForLongNegotiatesAgain) {
  GoOpened();
  now_ms_ += 10'000;
  Receive(1, 1, "0202");
  Expect({"down", P(1, 2, "01041234"), P(2, 1, "0202")});
}

TEST_F(NegotiatorTest, StrayAnswersDoNotTakeAnOpenLayerDown) {
  GoOpened();
  Receive(2, 1, "01041234");
  Receive(3, 1, "01041234");
  Receive(4, 1, "01041234");
  Receive(6, 1);
  Expect({});
  EXPECT_EQ(counters_.bad_identifiers, 4u);
}

TEST_F(NegotiatorTest, CodeRejects) {
  GoOpened();
  Receive(7, 1, "0901 0004");
  Expect({"rejected 9"});
  EXPECT_TRUE(negotiator_.opened());
  Receive(7, 2);
  EXPECT_EQ(counters_.malformed_packets, 1u);
  Receive(7, 3, "0101 0004");
  Expect({"down", P(5, 2)});
  EXPECT_EQ(negotiator_.state(), State::kStopping);
}

TEST_F(NegotiatorTest, ExtraCodesAndEcho) {
  OpenUp();
  Receive(9, 1, "00000000");
  Receive(12, 1, "00000000");
  Expect({P(1, 1, "01041234"), "extra 12"});
  Receive(13, 5, "aa");
  Expect({P(7, 2, "0d050005aa")});
}

TEST_F(NegotiatorTest, ProtocolReject) {
  OpenUp();
  negotiator_.OnProtocolReject(now_ms_);
  Expect({P(1, 1, "01041234"), "finished"});
  EXPECT_EQ(negotiator_.state(), State::kStopped);
}

TEST_F(NegotiatorTest, NothingBeforeUp) {
  negotiator_.Open(now_ms_);
  Receive(1, 1, "0202");
  Expect({});
  EXPECT_EQ(counters_.out_of_phase, 1u);
}

TEST_F(NegotiatorTest, OwnerMayCloseWhileItIsTold) {
  close_when_up_ = true;
  OpenUp();
  Receive(1, 1, "0202");
  Receive(2, 1, "01041234");
  Expect({P(1, 1, "01041234"), P(2, 1, "0202"), "up", "down", P(5, 2)});
  EXPECT_EQ(negotiator_.state(), State::kClosing);
  EXPECT_TRUE(negotiator_.deadline_ms());
}

TEST_F(NegotiatorTest, GivesUpOnAPeerThatKeepsRefusing) {
  OpenUp();
  for (int id = 1; id <= 30; ++id) {
    Receive(3, id, "01044321");
  }
  EXPECT_EQ(log_.back(), "the peer refuses whatever we request");
}

TEST_F(NegotiatorTest, PaddingIsIgnored) {
  OpenUp();
  negotiator_.OnPacket(FromHex("02010008"
                               "01041234"
                               "000000"),
                       now_ms_);
  EXPECT_EQ(negotiator_.state(), State::kAckRcvd);
}

}  // namespace
}  // namespace culvert::ppp
