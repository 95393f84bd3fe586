#include "controlplane/radius/client/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "controlplane/radius/client/scripted_servers.h"

namespace culvert::radius {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kSecond = 1'000'000;

class DispatcherTest : public ::testing::Test {
 protected:
  // Servers by priority; each has its number as its secret.
  void Start(size_t num_servers, MessageAuthenticatorPolicy policy, Recovery recovery,
             Service service = Service::kAuthentication) {
    std::vector<ServerSettings> servers;
    for (size_t i = 0; i < num_servers; ++i) {
      ServerSettings& server = servers.emplace_back();
      server.name = std::to_string(i);
      server.secret = SecretOf(server.name);
      server.priority = static_cast<uint32_t>(i);
      server.dead_time_ms = 30'000;
      server.message_authenticator = policy;
      server.recovery = recovery;
      stats_.push_back(std::make_shared<ServerStats>());
    }
    dispatcher_ =
        std::make_unique<Dispatcher>(service, servers, RetransmissionTimes(), stats_, &outside_);
  }
  void Start(size_t num_servers) {
    Start(num_servers, MessageAuthenticatorPolicy::kAuto, Recovery::kRequest);
  }
  void Send(Request request = {}) {
    dispatcher_->Send(
        std::move(request), [this](Answer answer) { answers_.push_back(std::move(answer)); },
        outside_.now_us);
  }
  // Lets time pass, in the steps that the dispatcher asks for.
  void Pass(uint64_t us) {
    const uint64_t end = outside_.now_us + us;
    for (auto due = dispatcher_->NextDeadline(); due && *due <= end;
         due = dispatcher_->NextDeadline()) {
      outside_.now_us = std::max(outside_.now_us, *due);
      dispatcher_->OnTime(outside_.now_us);
    }
    outside_.now_us = end;
  }
  void Deliver(const ScriptedServers::Sent& request, const std::vector<uint8_t>& reply) {
    dispatcher_->OnDatagram(request.server, request.channel, reply, outside_.now_us);
  }
  void Answer1(const ScriptedServers::Sent& request, Code code = Code::kAccessAccept,
               bool message_authenticator = true) {
    Deliver(request, ScriptedServers::ReplyTo(request, code, std::to_string(request.server),
                                              message_authenticator));
  }
  // When packets went out, in tenths of a second after the start, and to whom.
  std::vector<std::pair<size_t, uint64_t>> Log() const {
    std::vector<std::pair<size_t, uint64_t>> log;
    for (const auto& sent : outside_.sent) {
      log.emplace_back(sent.server, (sent.at_us - kSecond + 50'000) / 100'000);
    }
    return log;
  }
  uint64_t Dropped(size_t server, DropReason reason) const {
    return stats_[server]->drops[static_cast<size_t>(reason)];
  }

  ScriptedServers outside_;
  std::vector<std::shared_ptr<ServerStats>> stats_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<Answer> answers_;
};

TEST_F(DispatcherTest, AnAnswerComesBackOnce) {
  Start(1);
  Send();
  ASSERT_EQ(outside_.sent.size(), 1u);
  outside_.now_us += 1500;
  Answer1(outside_.sent[0]);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].outcome, Outcome::kAnswered);
  EXPECT_EQ(Parse(answers_[0].packet)->code, Code::kAccessAccept);
  EXPECT_EQ(answers_[0].request_authenticator, Parse(outside_.sent[0].packet)->authenticator);
  EXPECT_EQ(dispatcher_->NextDeadline(), std::nullopt);
  Answer1(outside_.sent[0]);
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_EQ(Dropped(0, DropReason::kUnexpected), 1u);
  EXPECT_EQ(stats_[0]->latency[2], 1u) << "1.5 ms";
  EXPECT_EQ(stats_[0]->outstanding, 0u);
}

TEST_F(DispatcherTest, RetransmissionsAreTheSameOctetsAtTheTimesOfRfc5080) {
  Start(1);
  Send();
  Pass(60 * kSecond);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].outcome, Outcome::kTimeout);
  ASSERT_EQ(outside_.sent.size(), 4u);  // at 0, 2, 6 and 14 s, each 10 % more or less
  uint64_t timeout = 0;
  for (size_t i = 1; i < outside_.sent.size(); ++i) {
    EXPECT_EQ(outside_.sent[i].packet, outside_.sent[0].packet);
    const uint64_t waited = outside_.sent[i].at_us - outside_.sent[i - 1].at_us;
    EXPECT_GE(waited, timeout == 0 ? 1'800'000 : timeout * 19 / 10 - 2000);
    EXPECT_LE(waited, timeout == 0 ? 2'200'000 : timeout * 21 / 10 + 2000);
    timeout = waited;
  }
  EXPECT_EQ(stats_[0]->requests, 1u);
  EXPECT_EQ(stats_[0]->retransmissions, 3u);
  EXPECT_EQ(stats_[0]->timeouts, 1u);
  EXPECT_FALSE(stats_[0]->up);
}

TEST_F(DispatcherTest, AnotherServerGetsAnotherPacketWithinTheDeadline) {
  Start(3);
  Send();
  Pass(20 * kSecond);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].outcome, Outcome::kTimeout);
  std::vector<size_t> servers;
  for (const auto& sent : outside_.sent) {
    servers.push_back(sent.server);
  }
  EXPECT_THAT(servers, ElementsAre(0, 0, 1, 1, 2, 2));
  EXPECT_EQ(outside_.sent[2].packet, outside_.sent[3].packet);
  EXPECT_NE(Parse(outside_.sent[0].packet)->authenticator,
            Parse(outside_.sent[2].packet)->authenticator)
      << "another secret: never the same random octets";
  EXPECT_THAT(outside_.states, ElementsAre("down 0", "down 1", "down 2"));
}

TEST_F(DispatcherTest, TheSecondServerAnswers) {
  Start(2);
  Send();
  Pass(7 * kSecond);
  ASSERT_EQ(outside_.sent.size(), 3u);
  Answer1(outside_.sent[2]);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].server, 1u);
  Send();
  EXPECT_EQ(outside_.sent.back().server, 1u) << "the dead one is spared";
  Answer1(outside_.sent.back());
  Answer1(outside_.sent[0]);
  EXPECT_EQ(Dropped(0, DropReason::kUnexpected), 1u) << "too late";
}

// Those who wait for a server that others have found dead do not wait to the end.
TEST_F(DispatcherTest, ManyMoveAtOnceWhenAServerDies) {
  Start(2);
  Send();
  Pass(kSecond * 35 / 10);
  for (int i = 0; i < 100; ++i) {
    Send();
  }
  Pass(4 * kSecond);  // the first gives up at about 6 s; they look again at 5.5 and 9.5 s
  Pass(3 * kSecond);
  for (const auto& sent : outside_.sent) {
    EXPECT_LT(sent.server == 0 ? sent.at_us : 0, kSecond * 85 / 10);
  }
  std::set<std::vector<uint8_t>> to_second;
  for (const auto& sent : outside_.sent) {
    if (sent.server == 1) {
      to_second.insert(sent.packet);
    }
  }
  EXPECT_EQ(to_second.size(), 101u);
}

TEST_F(DispatcherTest, AThousandLoginsWithOneServerDead) {
  Start(2);
  for (int i = 0; i < 1000; ++i) {
    Send();
  }
  size_t seen = 0;
  for (int tenths = 0; tenths < 200 && answers_.size() < 1000; ++tenths) {
    Pass(kSecond / 10);
    for (; seen < outside_.sent.size(); ++seen) {
      if (outside_.sent[seen].server == 1) {
        Answer1(outside_.sent[seen]);
      }
    }
  }
  ASSERT_EQ(answers_.size(), 1000u) << "within 20 s";
  for (const Answer& answer : answers_) {
    EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  }
  outside_.sent.clear();
  Send();
  ASSERT_EQ(outside_.sent.size(), 1u);
  EXPECT_EQ(outside_.sent[0].server, 1u) << "the next one does not wait";
}

TEST_F(DispatcherTest, ADeadServerIsTriedWithARequestAfterItsRest) {
  Start(2);
  Send();
  Pass(20 * kSecond);
  outside_.sent.clear();
  Pass(20 * kSecond);
  EXPECT_THAT(outside_.sent, IsEmpty()) << "no probes";
  Send();
  ASSERT_EQ(outside_.sent.size(), 1u);
  EXPECT_EQ(outside_.sent[0].server, 0u);
  Answer1(outside_.sent[0]);
  EXPECT_EQ(outside_.states.back(), "up 0");
}

TEST_F(DispatcherTest, ADeadServerIsProbedWithStatusServer) {
  Start(2, MessageAuthenticatorPolicy::kRequired, Recovery::kStatusServer);
  Send();
  Pass(7 * kSecond);
  Answer1(outside_.sent.back());
  outside_.sent.clear();
  Pass(25 * kSecond);
  EXPECT_THAT(outside_.sent, IsEmpty());
  Pass(kSecond * 349 / 10);  // dead since 5.2 to 6.8 s: probed 30 and 60 s later
  ASSERT_EQ(outside_.sent.size(), 2u);
  for (const auto& sent : outside_.sent) {
    EXPECT_EQ(sent.server, 0u);
    EXPECT_EQ(Parse(sent.packet)->code, Code::kStatusServer);
    EXPECT_EQ(Parse(sent.packet)->attributes[0].id, attr::kMessageAuthenticator);
  }
  Answer1(outside_.sent[1], Code::kAccessAccept, false);
  EXPECT_THAT(outside_.states, ElementsAre("down 0", "up 0"));
  Send();
  EXPECT_EQ(outside_.sent.back().server, 0u);
  EXPECT_EQ(answers_.size(), 1u) << "the probe's answer is nobody's";
}

TEST_F(DispatcherTest, AStateGoesBackToItsServerOnly) {
  Start(2);
  Send({.server = 1});
  Pass(30 * kSecond);
  for (const auto& sent : outside_.sent) {
    EXPECT_EQ(sent.server, 1u);
  }
  EXPECT_EQ(answers_.size(), 1u);
}

TEST_F(DispatcherTest, TenThousandOutstanding) {
  Start(1);
  constexpr size_t kMany = 10'000;
  for (size_t i = 0; i < kMany; ++i) {
    Send();
  }
  std::set<std::pair<size_t, uint8_t>> identifiers;
  for (const auto& sent : outside_.sent) {
    identifiers.insert({sent.channel, sent.packet[1]});
  }
  EXPECT_EQ(identifiers.size(), kMany) << "no identifier twice on a source port";
  EXPECT_EQ(identifiers.rbegin()->first, (kMany - 1) / 256) << "no more ports than it takes";
  EXPECT_EQ(stats_[0]->outstanding, kMany);
  const std::vector<ScriptedServers::Sent> sent = outside_.sent;
  for (const auto& request : sent) {
    Answer1(request);
  }
  EXPECT_EQ(answers_.size(), kMany);
  EXPECT_EQ(stats_[0]->outstanding, 0u);
}

TEST_F(DispatcherTest, TooManyOutstandingAreRefusedAtOnce) {
  Start(1);
  for (size_t i = 0; i < 64 * 256; ++i) {
    Send();
  }
  EXPECT_THAT(answers_, IsEmpty());
  Send();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].outcome, Outcome::kOverload);
  dispatcher_->Stop();
  EXPECT_EQ(answers_.size(), 64u * 256 + 1);
  EXPECT_EQ(answers_.back().outcome, Outcome::kStopped);
}

TEST_F(DispatcherTest, IdentifiersRestBeforeTheyAreUsedAgain) {
  Start(1);
  std::vector<uint8_t> identifiers;
  for (int i = 0; i < 256; ++i) {
    Send();
    identifiers.push_back(outside_.sent.back().packet[1]);
    Answer1(outside_.sent.back());
  }
  EXPECT_EQ(std::set<uint8_t>(identifiers.begin(), identifiers.end()).size(), 256u);
}

TEST_F(DispatcherTest, WhatIsNoAnswerIsDroppedAndTheWaitGoesOn) {
  Start(1);
  Send();
  const auto request = outside_.sent[0];
  Deliver(request, {1, 2, 3});
  EXPECT_EQ(Dropped(0, DropReason::kMalformed), 1u);
  Deliver(request, ScriptedServers::ReplyTo(request, Code::kAccessAccept, "another secret"));
  EXPECT_EQ(Dropped(0, DropReason::kBadAuthenticator), 1u);
  std::vector<uint8_t> other = ScriptedServers::ReplyTo(request, Code::kAccessAccept, "0");
  other[1] ^= 1;
  Deliver(request, other);
  dispatcher_->OnDatagram(0, 5, ScriptedServers::ReplyTo(request, Code::kAccessAccept, "0"), 0);
  EXPECT_EQ(Dropped(0, DropReason::kUnexpected), 2u) << "identifier, source port";
  Answer1(request, Code::kAccountingResponse);
  EXPECT_EQ(Dropped(0, DropReason::kWrongCode), 1u);
  EXPECT_THAT(answers_, IsEmpty());
  Answer1(request);
  EXPECT_EQ(answers_.size(), 1u);
}

TEST_F(DispatcherTest, AutoRequiresTheMessageAuthenticatorOnceSeen) {
  Start(1);
  Send();
  Answer1(outside_.sent.back(), Code::kAccessAccept, false);
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_EQ(outside_.unprotected, 1);
  Send();
  Answer1(outside_.sent.back(), Code::kAccessReject, true);
  EXPECT_EQ(answers_.size(), 2u);
  Send();
  Answer1(outside_.sent.back(), Code::kAccessAccept, false);
  EXPECT_EQ(answers_.size(), 2u) << "from now on it is an attack";
  EXPECT_EQ(Dropped(0, DropReason::kNoMessageAuthenticator), 1u);
  EXPECT_EQ(stats_[0]->unprotected_replies, 1u);
}

TEST_F(DispatcherTest, RequiredAndOff) {
  Start(1, MessageAuthenticatorPolicy::kRequired, Recovery::kRequest);
  Send();
  Answer1(outside_.sent.back(), Code::kAccessAccept, false);
  EXPECT_THAT(answers_, IsEmpty());
  stats_.clear();
  Start(1, MessageAuthenticatorPolicy::kOff, Recovery::kRequest);
  for (bool message_authenticator : {true, false}) {
    Send();
    Answer1(outside_.sent.back(), Code::kAccessAccept, message_authenticator);
  }
  EXPECT_EQ(answers_.size(), 2u);
}

TEST_F(DispatcherTest, AccountingIsSignedAndAcknowledged) {
  Start(1, MessageAuthenticatorPolicy::kRequired, Recovery::kStatusServer, Service::kAccounting);
  Request request{.code = Code::kAccountingRequest};
  request.attributes.AddInteger(attr::kAcctStatusType, 1);
  Send(std::move(request));
  const auto packet = Parse(outside_.sent[0].packet);
  EXPECT_TRUE(IsSignedRequest(*packet, SecretOf("0")->octets()));
  EXPECT_EQ(packet->Find(attr::kMessageAuthenticator), nullptr);
  Answer1(outside_.sent[0], Code::kAccountingResponse, false);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].outcome, Outcome::kAnswered);
}

TEST_F(DispatcherTest, WhatCannotBeSentFailsAtOnce) {
  Start(1);
  Request request;
  request.attributes.AddText(attr::kUserName, "");
  Send(std::move(request));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].outcome, Outcome::kNotEncoded);
  EXPECT_THAT(outside_.sent, IsEmpty());
  dispatcher_ =
      std::make_unique<Dispatcher>(Service::kAuthentication, std::vector<ServerSettings>(),
                                   RetransmissionTimes(), stats_, &outside_);
  Send();
  EXPECT_EQ(answers_[1].outcome, Outcome::kNoServer);
}

TEST_F(DispatcherTest, AnAnswerMayAskAgain) {
  Start(1);
  int rounds = 0;
  std::function<void(Answer)> next = [&](const Answer& answer) {
    ++rounds;
    if (rounds < 3) {
      dispatcher_->Send({.server = answer.server}, next, outside_.now_us);
    }
  };
  dispatcher_->Send({}, next, outside_.now_us);
  for (size_t i = 0; i < 3; ++i) {
    const ScriptedServers::Sent request = outside_.sent[i];
    Answer1(request, Code::kAccessChallenge);
  }
  EXPECT_EQ(rounds, 3);
}

// Anybody can send a password that is too long. It must not use up the trial of a server that was
// dead: nobody would find out that it is back.
TEST_F(DispatcherTest, ARequestThatFitsNoPacketIsNoTrial) {
  Start(2);
  Send();
  Pass(30 * kSecond);  // nobody answers
  Send();
  Answer1(outside_.sent.back());
  outside_.sent.clear();
  answers_.clear();
  const std::vector<uint8_t> long_password(200, 'x');
  Pass(60 * kSecond);
  Request too_long;
  too_long.user_password = Secret(Octets(long_password));
  Send(std::move(too_long));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].outcome, Outcome::kNotEncoded);
  std::set<size_t> asked;
  for (int i = 0; i < 3; ++i) {
    Send();
    asked.insert(outside_.sent.back().server);
  }
  EXPECT_EQ(asked, (std::set<size_t>{0, 1})) << "one trial, the others to the one that is up";
}

}  // namespace
}  // namespace culvert::radius
