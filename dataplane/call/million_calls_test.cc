// A machine's full load of calls: what they cost in memory, and that it comes back.
#include <gtest/gtest.h>
#include <malloc.h>

#include <fstream>

#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr uint32_t kNumAddresses = 1;  // memory is the sanitizer's, time too
#else
constexpr uint32_t kNumAddresses = 16;
#endif
constexpr uint32_t kNumCalls = kNumAddresses * 65535;
constexpr uint64_t kMaxOctetsPerCall = 512;

// Of this process, huge pages too.
uint64_t Resident() {
  malloc_trim(0);
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t kb = 0;
  while (status >> word) {
    if (word == "VmRSS:" || word == "HugetlbPages:") {
      uint64_t value = 0;
      status >> value;
      kb += value;
    }
  }
  return kb << 10;
}

CallSpec VpnCall(uint32_t i) {
  CallSpec spec;
  spec.local_address = kLocal + i / 65535;
  spec.call_id = static_cast<uint16_t>(1 + i % 65535);
  spec.peer_call_id = static_cast<uint16_t>(i);
  spec.peer_address = Ip(100, 64, 0, 0) + i;
  spec.client_address = Ip(10, 0, 0, 2) + i;
  spec.require_encryption = true;
  spec.receive = spec.send = MppeKeySpec{.bits = 128, .epoch = 1, .start_key = {1, 2, 3}};
  spec.record = std::string(64, 'r');
  return spec;
}

TEST(MillionCallsTest, CostAtMost512OctetsEachAndGiveThemBack) {
  Rig::Options options;
  options.max_local_addresses = 16;
  CallRig rig(options);
  Datapath& path = rig.datapath();
  ASSERT_TRUE(path.SetRoute(Ip(10, 0, 0, 0), 8, {RouteTarget::Kind::kClients, 0, 0}).ok());
  const uint64_t before = Resident();
  std::vector<uint64_t> handles;
  handles.reserve(kNumCalls);
  for (uint32_t i = 0; i < kNumCalls; ++i) {
    handles.push_back(rig.Program(VpnCall(i)));
  }
  const uint64_t full = Resident() - before - handles.size() * sizeof(uint64_t);
  RecordProperty("octets_per_call", std::to_string(full / kNumCalls));
  std::printf("%u calls: %.1f octets each\n", kNumCalls, static_cast<double>(full) / kNumCalls);
  for (const uint32_t i : {0U, kNumCalls / 2, kNumCalls - 1}) {
    rig.ReceiveIpv4(1, MakeIpv4({kServer, VpnCall(i).client_address}, Bytes(8)));
  }
  rig.Run();
  // Their peers are behind the default route.
  EXPECT_EQ(rig.Sent(1).size(), 3u);
  for (const uint64_t handle : handles) {
    ASSERT_TRUE(path.Remove(handle).ok());
  }
  const uint64_t after = Resident() - before - handles.size() * sizeof(uint64_t);
  std::printf("afterwards %.1f\n", static_cast<double>(static_cast<int64_t>(after)) / kNumCalls);
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LE(full, kMaxOctetsPerCall * kNumCalls);
  EXPECT_LT(static_cast<int64_t>(after), static_cast<int64_t>(full / 10));
#endif
}

}  // namespace
}  // namespace culvert::dataplane
