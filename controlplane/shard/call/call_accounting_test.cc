#include "controlplane/shard/call/call_accounting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "controlplane/accounting/delivery/fake_transport.h"
#include "controlplane/accounting/readings.h"
#include "controlplane/shard/control_plane_fixture.h"

namespace culvert {
namespace {

using accounting::TerminateCause;
using ::culvert::testing::PppPeer;
using ::culvert::testing::ScriptedClient;
using ::testing::HasSubstr;

TEST(TerminateCauseOf, EveryCause) {
  const auto of = [](EndCause cause) { return TerminateCauseOf(cause); };
  EXPECT_EQ(of(EndCause::kClientHangUp), TerminateCause::kUserRequest);
  EXPECT_EQ(of(EndCause::kControlConnection), TerminateCause::kLostCarrier);
  EXPECT_EQ(of(EndCause::kLostCarrier), TerminateCause::kLostCarrier);
  EXPECT_EQ(of(EndCause::kIdleTimeout), TerminateCause::kIdleTimeout);
  EXPECT_EQ(of(EndCause::kSessionTimeout), TerminateCause::kSessionTimeout);
  EXPECT_EQ(of(EndCause::kOctetQuota), TerminateCause::kNasRequest);
  EXPECT_EQ(of(EndCause::kTerminated), TerminateCause::kAdminReset);
  EXPECT_EQ(of(EndCause::kReplaced), TerminateCause::kPortPreempted);
  EXPECT_EQ(of(EndCause::kReplaced), TerminateCause::kPortPreempted);
  EXPECT_EQ(of(EndCause::kDataplane), TerminateCause::kNasError);
  EXPECT_EQ(of(EndCause::kShutdown), TerminateCause::kAdminReboot);
  const auto ppp = [](ppp::EndKind kind) { return TerminateCauseOf(EndCauseOf(kind)); };
  EXPECT_EQ(ppp(ppp::EndKind::kPeerHungUp), TerminateCause::kUserRequest);
  EXPECT_EQ(ppp(ppp::EndKind::kPeerSilent), TerminateCause::kLostCarrier);
  EXPECT_EQ(ppp(ppp::EndKind::kEncryption), TerminateCause::kNasRequest);
  EXPECT_EQ(ppp(ppp::EndKind::kAuthentication), TerminateCause::kUserError);
  EXPECT_EQ(ppp(ppp::EndKind::kNetwork), TerminateCause::kServiceUnavailable);
  EXPECT_EQ(ppp(ppp::EndKind::kProtocol), TerminateCause::kPortError);
}

class CallAccountingTest : public ControlPlaneTest {
 protected:
  std::string Settings() const {
    return absl::StrCat("accounting.spool = \"", folder_, "/spool\"\naccounting.file = \"", folder_,
                        "/records\"\n");
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::ifstream file(folder_ + "/records");
    for (std::string line; std::getline(file, line);) {
      lines.push_back(line);
    }
    return lines;
  }
  void TearDown() override {
    plane_.reset();
    dataplane_.reset();
    std::filesystem::remove_all(folder_);
  }
};

TEST_F(CallAccountingTest, ACallThatHangsUpBeforeTheFirstInterim) {
  grants_.classes = {{'c', 1, 0xff}};
  ASSERT_TRUE(Start(Settings()).ok());
  ScriptedClient client(port_);
  client.Start();
  const uint16_t call_id = Dial(client, 7);
  LogIn(call_id);
  const std::string id = List()[0].id();
  // The data plane counts 7 packets; then it dies, and nobody is there to say the last word.
  ASSERT_TRUE(Eventually([&] { return List()[0].upstream_packets() == 7; }));
  // That may have been before the call was up; a round more (they come every 100 ms) is of after.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  dataplane_.reset();
  ASSERT_TRUE(Eventually([&] { return Lines().size() >= 3; }));
  const std::vector<std::string> lines = Lines();
  EXPECT_THAT(lines[0], HasSubstr(R"("kind":"on")"));
  EXPECT_THAT(lines[1], HasSubstr(R"("kind":"start")"));
  for (const std::string& line : {lines[1], lines[2]}) {
    EXPECT_THAT(line, HasSubstr("\"session\":\"" + id + "\""));
    EXPECT_THAT(line, HasSubstr(R"("user":"alice")"));
    EXPECT_THAT(line, HasSubstr(R"("classes":["6301ff"])"));
    EXPECT_THAT(line, HasSubstr(R"("method":"pap","authentic":"local")"));
  }
  EXPECT_THAT(lines[2], HasSubstr(R"("kind":"stop")"));
  EXPECT_THAT(lines[2], HasSubstr(R"("terminate_cause":9)"));
  EXPECT_THAT(lines[2], HasSubstr(R"("input_packets":7)"));
}

// Some concentrators end a call whose Start nobody acknowledges.
TEST_F(CallAccountingTest, AnUnansweredStartEndsNoCall) {
  ASSERT_TRUE(Start(absl::StrCat("accounting.spool = \"", folder_,
                                 "/spool\"\n[[radius.servers]]\nname = \"away\"\n"
                                 "address = \"127.0.0.1\"\nauth_port = 0\nacct_port = 9\n"
                                 "secret = \"testing123\"\n"))
                  .ok());
  ScriptedClient client(port_);
  client.Start();
  LogIn(Dial(client, 7));
  std::this_thread::sleep_for(std::chrono::seconds(5));  // some tries
  ASSERT_EQ(List().size(), 1u);
  EXPECT_EQ(List()[0].state(), "open");
}

TEST_F(CallAccountingTest, AtTheEndOfTheProcess) {
  ASSERT_TRUE(Start(Settings()).ok());
  ScriptedClient client(port_);
  client.Start();
  LogIn(Dial(client, 7));
  plane_->Stop();
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[2], HasSubstr(R"("kind":"stop")"));
  EXPECT_THAT(lines[2], HasSubstr(R"("terminate_cause":7)"));
  EXPECT_THAT(lines[3], HasSubstr(R"("kind":"off")"));
}

// A client may log in again in the midst of a call (RFC 1661: LCP anew), and go before it is up.
TEST_F(CallAccountingTest, AnotherLoginThatGoesNoFurtherLeavesTheRecordWhole) {
  using accounting::testing::FakeTransport;
  FakeTransport server;
  accounting::AccountingSettings settings;
  settings.spool.path = folder_ + "/spool";
  auto started = accounting::Accounting::Start(settings, &server, [](uint32_t) { return 0u; });
  ASSERT_TRUE(started.ok()) << started.status();
  CallRecord record;
  record.id = 0xabc;
  record.handle = 9;
  record.client_address = 0x0a000005;
  AuthResult result;
  result.user = "alice";
  CallAccounting call(started->get());
  call.OnAccepted(AuthMethod::kPap, result);
  call.OnUp(record);
  call.OnAccepted(AuthMethod::kPap, result);
  call.OnIpv6(record.id, 5);
  CallGrants grants;
  grants.classes = {{'c'}};
  call.OnTermsChanged(record.id, grants);
  call.OnEnded(record.id, EndCause::kClientHangUp, {});
  (*started)->Stop(std::chrono::seconds(60));
  size_t stops = 0;
  for (const FakeTransport::Sent& sent : server.sent()) {
    if (sent.record.kind() == accounting::v1::KIND_STOP) {
      ++stops;
      EXPECT_EQ(sent.record.session().id(), FormatCallId(record.id));
      EXPECT_EQ(sent.record.session().client_address(), record.client_address);
    }
  }
  EXPECT_EQ(stops, 1u);
}

TEST_F(CallAccountingTest, MetricsTellOfTheSpool) {
  ASSERT_TRUE(Start(Settings()).ok());
  accounting::AccountingUsage usage;
  usage.journal.spool.num_records = 3;
  usage.journal.dropped[static_cast<size_t>(accounting::Entry::Step::kStop)] = 2;
  std::vector<Reading> readings;
  accounting::AddReadings(usage, readings);
  uint64_t records = 0, lost_stops = 0;
  for (const Reading& reading : readings) {
    const std::string name = reading.name;
    records += name == "accounting_spool_records" ? reading.value : 0;
    if (name == "accounting_lost_total" && reading.labels[0].second == "stop" &&
        reading.labels[1].second == "full") {
      lost_stops += reading.value;
    }
  }
  EXPECT_EQ(records, 3u);
  EXPECT_EQ(lost_stops, 2u);
}

TEST_F(CallAccountingTest, ACallThatIsNotUpHasNoRecord) {
  ASSERT_TRUE(Start(Settings()).ok());
  ScriptedClient client(port_);
  client.Start();
  LogIn(Dial(client, 7), "wrong");
  plane_->Stop();
  EXPECT_EQ(Lines().size(), 2u) << "on and off";
}

}  // namespace
}  // namespace culvert
