// Networks behind calls (Framed-Route, RFC 2865 s5.22).
#include <gtest/gtest.h>

#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");
constexpr uint32_t kBehind = Ip(203, 0, 113, 0);

PrefixSpec Route(uint32_t prefix, uint8_t len) {
  PrefixSpec route;
  wire::StoreBe32(route.address.data(), prefix);
  route.len = len;
  return route;
}

class CallRoutesTest : public testing::Test {
 protected:
  bool Reaches(uint32_t destination) {
    rig_.ReceiveIpv4(1, MakeIpv4({kServer, destination}, Bytes(8)));
    rig_.Run();
    return rig_.Sent(0).size() == 1;
  }
  bool MaySendFrom(uint32_t source) {
    rig_.Sent(1);
    rig_.Upstream(kIpv4Frame + MakeIpv4({source, kServer}, Bytes(8)));
    rig_.Run();
    return rig_.Sent(1).size() == 1;
  }
  absl::Status Refused(const CallSpec& spec) { return rig_.datapath().Upsert(spec).status(); }

  CallRig rig_;
};

TEST_F(CallRoutesTest, PacketsGoToTheCallAndMayComeFromThere) {
  CallSpec spec = CallRig::Spec();
  spec.routes = {Route(kBehind, 28), Route(kBehind + 64, 32)};
  const uint64_t handle = rig_.Program(spec);
  EXPECT_TRUE(Reaches(kClient) && Reaches(kBehind) && Reaches(kBehind + 15));
  EXPECT_TRUE(Reaches(kBehind + 64));
  EXPECT_FALSE(Reaches(kBehind + 16));  // the default route
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
  EXPECT_TRUE(MaySendFrom(kClient) && MaySendFrom(kBehind + 15) && MaySendFrom(kBehind + 64));
  EXPECT_FALSE(MaySendFrom(kBehind + 16));
  EXPECT_EQ(rig_.Drops("source_spoofed"), 1u);
  EXPECT_EQ(rig_.datapath().List()[0].spec.routes.size(), 2u);

  spec.routes = {Route(kBehind + 64, 32), Route(kBehind + 32, 28)};
  rig_.Program(spec);
  EXPECT_TRUE(Reaches(kBehind + 64) && Reaches(kBehind + 32) && MaySendFrom(kBehind + 32));
  EXPECT_FALSE(Reaches(kBehind) || MaySendFrom(kBehind));
  ASSERT_TRUE(rig_.datapath().Remove(handle).ok());
  EXPECT_FALSE(Reaches(kBehind + 64) || Reaches(kBehind + 32));
}

TEST_F(CallRoutesTest, ALocalAddressInTheNetworkStaysLocal) {
  const RouteTarget local{RouteTarget::Kind::kLocal, 0, 0};
  const RouteTarget link{RouteTarget::Kind::kAdjacency, 1, 0};
  ASSERT_TRUE(rig_.datapath().SetRoute(kBehind + 1, 32, local).ok());
  ASSERT_TRUE(rig_.datapath().SetRoute(kBehind, 24, link).ok());
  rig_.datapath().SetNeighbour(1, kBehind + 2, Rig::PeerMac(1));
  CallSpec spec = CallRig::Spec();
  spec.routes = {Route(kBehind, 24), Route(kBehind + 1, 32)};
  const uint64_t handle = rig_.Program(spec);
  EXPECT_FALSE(Reaches(kBehind + 1));
  EXPECT_EQ(rig_.PuntedToPort(1).size(), 1u);
  EXPECT_TRUE(Reaches(kBehind + 2));  // a call beats a host on link
  ASSERT_TRUE(rig_.datapath().Remove(handle).ok());
  EXPECT_FALSE(Reaches(kBehind + 2));
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
}

TEST_F(CallRoutesTest, OverlapsWithAnotherCallAreRefusedByName) {
  CallSpec spec = CallRig::Spec();
  spec.routes = {Route(kBehind, 28), Route(kBehind, 29)};  // its own may
  rig_.Program(spec);
  const auto expect = [this](const CallSpec& other, const char* name) {
    const absl::Status status = Refused(other);
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
    EXPECT_NE(status.message().find(name), absl::string_view::npos) << status;
    EXPECT_NE(status.message().find("call_id 10593"), absl::string_view::npos) << status;
    EXPECT_EQ(rig_.datapath().List().size(), 1u);
  };
  CallSpec other = CallRig::Spec2();
  other.routes = {Route(kBehind + 128, 28), Route(kBehind, 30)};
  expect(other, "203.0.113.0/29");
  EXPECT_FALSE(Reaches(kBehind + 128));  // nothing by half
  other.routes = {Route(kBehind, 24)};
  expect(other, "203.0.113.0/28");
  other.routes = {Route(kClient & ~15U, 28)};
  expect(other, "10.77.0.10/32");
  other.routes.clear();
  other.client_address = kBehind + 3;
  expect(other, "203.0.113.0/29");
  other.client_address = kClient;
  expect(other, "10.77.0.10/32");
  other.client_address = kClient2;
  other.routes = {Route(kClient2, 32), Route(kBehind + 128, 28)};
  rig_.Program(other);
  EXPECT_TRUE(Reaches(kClient2) && Reaches(kBehind + 128));
  // A refused change leaves the call as it was.
  spec.client_address = Ip(10, 77, 0, 99);
  spec.routes = {Route(kBehind + 64, 28), Route(kBehind + 136, 29)};
  EXPECT_EQ(Refused(spec).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Reaches(kClient) && Reaches(kBehind + 3));
  EXPECT_FALSE(Reaches(kBehind + 64) || Reaches(spec.client_address));
}

TEST_F(CallRoutesTest, BadRoutesNameTheField) {
  const auto expect = [this](const PrefixSpec& route, const char* field) {
    CallSpec spec = CallRig::Spec();
    spec.routes = {Route(kBehind, 28), route};
    const absl::Status status = Refused(spec);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(status.message()).rfind(field, 0), 0u) << status;
  };
  expect(Route(0, 0), "routes[1].len");
  expect(Route(kBehind, 33), "routes[1].len");
  expect(Route(kBehind + 1, 31), "routes[1].address");
  CallSpec many = CallRig::Spec();
  many.routes.assign(33, Route(kBehind, 32));
  EXPECT_EQ(Refused(many).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace culvert::dataplane
