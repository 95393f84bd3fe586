#include "controlplane/accounting/delivery/radius_transport.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "controlplane/accounting/record.h"

namespace culvert::accounting {
namespace {

namespace attr = radius::attr;

// Attributes reads a list as the server would.
class Attributes {
 public:
  explicit Attributes(const radius::AttributeList& list) {
    EXPECT_FALSE(list.error().has_value());
    octets_.assign(radius::kHeaderLen, 0);
    octets_[0] = static_cast<uint8_t>(radius::Code::kAccountingRequest);
    octets_.insert(octets_.end(), list.octets().begin(), list.octets().end());
    octets_[2] = static_cast<uint8_t>(octets_.size() >> 8);
    octets_[3] = static_cast<uint8_t>(octets_.size());
    auto packet = radius::Parse(octets_);
    EXPECT_TRUE(packet.has_value());
    packet_ = *packet;
  }
  std::optional<uint32_t> Integer(radius::AttributeId id) const {
    const radius::Attribute* found = packet_.Find(id);
    return found == nullptr ? std::nullopt : radius::IntegerOf(found->value);
  }
  std::string Text(radius::AttributeId id) const {
    const radius::Attribute* found = packet_.Find(id);
    return found == nullptr ? "" : std::string(radius::TextOf(found->value));
  }
  const radius::Packet& packet() const { return packet_; }

 private:
  std::vector<uint8_t> octets_;
  radius::Packet packet_;
};

v1::Record Stop() {
  v1::Record record;
  record.set_kind(v1::KIND_STOP);
  record.set_time_s(1'700'000'060);
  record.set_session_time_s(60);
  record.set_terminate_cause(2);
  record.mutable_traffic()->set_input_octets((uint64_t{3} << 32) + 5);
  record.mutable_traffic()->set_output_octets(UINT32_MAX);
  record.mutable_traffic()->set_input_packets(9);
  v1::Session& session = *record.mutable_session();
  session.set_id("00112233445566aa");
  session.set_user("alice");
  session.add_classes("one");
  session.add_classes(std::string("\0two", 4));
  session.set_peer_address(0xc0000201);
  session.set_local_address(0xcb007101);
  session.set_client_address(0x0a4d0009);
  session.set_nas_port(0x10007);
  session.set_call_id(7);
  session.set_authentic(v1::AUTHENTIC_RADIUS);
  session.set_method(v1::METHOD_MS_CHAP_2);
  session.set_interface_id("\x02\x01\x02\x03\x04\x05\x06\x07");
  v1::Ipv6Prefix& prefix = *session.add_prefixes();
  prefix.set_address(std::string("\x20\x01\x0d\xb8", 4) + std::string(12, '\0'));
  prefix.set_length(64);
  return record;
}

radius::NasIdentity Nas() {
  radius::NasIdentity nas;
  nas.identifier = "gw1";
  nas.ipv4 = 0xcb007101;
  return nas;
}
const radius::NasIdentity kNas = Nas();

TEST(AccountingAttributes, StopSaysAll) {
  const Attributes attributes(AccountingAttributes(Stop(), kNas, 17));
  EXPECT_EQ(attributes.Integer(attr::kAcctStatusType), 2u);
  EXPECT_EQ(attributes.Text(attr::kNasIdentifier), "gw1");
  EXPECT_EQ(attributes.Integer(attr::kNasIpAddress), 0xcb007101u);
  EXPECT_EQ(attributes.Text(attr::kUserName), "alice");
  EXPECT_EQ(attributes.packet().Count(attr::kClass), 2u);
  EXPECT_EQ(attributes.Text(attr::kClass), "one");
  EXPECT_EQ(attributes.Text(attr::kAcctSessionId), "00112233445566aa");
  EXPECT_EQ(attributes.Text(attr::kAcctMultiSessionId), "00112233445566aa");
  EXPECT_EQ(attributes.Integer(attr::kNasPort), 0x10007u);
  EXPECT_EQ(attributes.Text(attr::kCallingStationId), "192.0.2.1");
  EXPECT_EQ(attributes.Integer(attr::kFramedIpAddress), 0x0a4d0009u);
  EXPECT_EQ(attributes.packet().Count(attr::kFramedIpv6Prefix), 1u);
  EXPECT_EQ(attributes.packet().Count(attr::kFramedInterfaceId), 1u);
  EXPECT_EQ(attributes.Integer(attr::kAcctAuthentic), 1u);
  EXPECT_EQ(attributes.Integer(attr::kMsAcctAuthType), 4u);
  EXPECT_EQ(attributes.Integer(attr::kAcctSessionTime), 60u);
  EXPECT_EQ(attributes.Integer(attr::kAcctInputOctets), 5u);
  EXPECT_EQ(attributes.Integer(attr::kAcctInputGigawords), 3u);
  EXPECT_EQ(attributes.Integer(attr::kAcctOutputOctets), UINT32_MAX);
  EXPECT_EQ(attributes.Integer(attr::kAcctOutputGigawords), 0u);
  EXPECT_EQ(attributes.Integer(attr::kAcctInputPackets), 9u);
  EXPECT_EQ(attributes.Integer(attr::kAcctTerminateCause), 2u);
  EXPECT_EQ(attributes.Integer(attr::kEventTimestamp), 1'700'000'060u);
  EXPECT_EQ(attributes.Integer(attr::kAcctDelayTime), 17u);
  // RFC 3579 s3.2, RFC 2866 s5.13.
  EXPECT_EQ(attributes.packet().Count(attr::kEapMessage), 0u);
  EXPECT_EQ(attributes.packet().Count(attr::kUserPassword), 0u);
}

TEST(AccountingAttributes, MarksOfTheServerAndNamesOfThePeer) {
  v1::Record record = Stop();
  const Attributes without(AccountingAttributes(record, kNas, 0));
  for (const radius::AttributeId id : {attr::kChargeableUserIdentity, attr::kMsChapDomain,
                                       attr::kMsAcctEapType, attr::kTunnelClientAuthId}) {
    EXPECT_EQ(without.packet().Count(id), 0u) << int{id.type};
  }
  v1::Session& session = *record.mutable_session();
  session.set_chargeable_user_identity(std::string("c\0i", 3));
  session.set_ms_chap_domain("\x07SALES");
  session.set_eap_type(13);
  session.set_peer_host_name("pac1");
  session.set_called_number("55");
  session.set_calling_number("+4930");
  const Attributes attributes(AccountingAttributes(record, kNas, 0));
  EXPECT_EQ(attributes.Text(attr::kChargeableUserIdentity), std::string("c\0i", 3));
  EXPECT_EQ(attributes.Text(attr::kMsChapDomain), "\x07SALES");
  EXPECT_EQ(attributes.Integer(attr::kMsAcctEapType), 13u);
  EXPECT_EQ(attributes.Text(attr::kTunnelClientAuthId), "pac1");
  EXPECT_EQ(attributes.Text(attr::kCalledStationId), "55");
  EXPECT_EQ(attributes.Text(attr::kCallingStationId), "+4930");
}

TEST(AccountingAttributes, StartSaysNothingOfTraffic) {
  v1::Record record = Stop();
  record.set_kind(v1::KIND_START);
  record.clear_terminate_cause();
  const Attributes attributes(AccountingAttributes(record, kNas, 0));
  EXPECT_EQ(attributes.Integer(attr::kAcctStatusType), 1u);
  EXPECT_FALSE(attributes.Integer(attr::kAcctInputOctets).has_value());
  EXPECT_FALSE(attributes.Integer(attr::kAcctTerminateCause).has_value());
  EXPECT_EQ(attributes.Integer(attr::kAcctDelayTime), 0u);
}

TEST(AccountingAttributes, OnIsOfTheNas) {
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(NasRecord(v1::KIND_ON, "nas-1", 5)));
  const Attributes attributes(AccountingAttributes(record, kNas, 1));
  EXPECT_EQ(attributes.Integer(attr::kAcctStatusType), 7u);
  EXPECT_EQ(attributes.Text(attr::kAcctSessionId), "nas-1");
  EXPECT_FALSE(attributes.Integer(attr::kNasPort).has_value());
}

TEST(AccountingAttributes, ANameThatIsTooLongLosesNoRecord) {
  v1::Record record = Stop();
  record.mutable_session()->set_user(std::string(255, 'u'));
  EXPECT_EQ(Attributes(AccountingAttributes(record, kNas, 0)).Text(attr::kUserName).size(), 253u);
}

// ScriptedSender answers as told.
class ScriptedSender final : public radius::Sender {
 public:
  void Send(radius::Service service, radius::Request request, radius::Answered done) override {
    EXPECT_EQ(service, radius::Service::kAccounting);
    EXPECT_EQ(request.code, radius::Code::kAccountingRequest);
    radius::Answer answer;
    answer.outcome = outcome;
    done(std::move(answer));
  }
  radius::Outcome outcome = radius::Outcome::kAnswered;
};

TEST(RadiusTransport, OnlyAnAnswerIsAnAcknowledgement) {
  ScriptedSender sender;
  RadiusTransport transport(&sender, kNas);
  std::optional<bool> acknowledged;
  const auto send = [&] { transport.Send(Stop(), 0, [&](bool taken) { acknowledged = taken; }); };
  send();
  EXPECT_EQ(acknowledged, true);
  for (const radius::Outcome outcome : {radius::Outcome::kTimeout, radius::Outcome::kOverload,
                                        radius::Outcome::kNoServer, radius::Outcome::kStopped}) {
    sender.outcome = outcome;
    send();
    EXPECT_EQ(acknowledged, false);
  }
}

// An Access-Accept may be full of Class. The record must get through all the same.
TEST(AccountingAttributes, WhatDoesNotFitIsLeftOut) {
  v1::Record record = Stop();
  v1::Session& session = *record.mutable_session();
  session.set_filter_id(std::string(255, 'f'));
  session.clear_classes();
  for (int i = 0; i < 15; ++i) {
    session.add_classes(std::string(radius::kMaxValueLen, static_cast<char>('a' + i)));
  }
  size_t left_out = 0;
  const Attributes attributes(AccountingAttributes(record, kNas, 17, &left_out));
  const size_t num_classes = attributes.packet().Count(attr::kClass);
  EXPECT_GE(num_classes, 12u);
  EXPECT_EQ(num_classes + left_out, 15u);
  EXPECT_EQ(attributes.Text(attr::kClass), session.classes(0));
  EXPECT_EQ(attributes.Text(attr::kFilterId).size(), radius::kMaxValueLen);
  EXPECT_EQ(attributes.Integer(attr::kAcctDelayTime), 17u) << "nothing else is missing";
}

}  // namespace
}  // namespace culvert::accounting
