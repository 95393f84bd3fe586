// ManyShardsTest: a control plane of several shards. Which shard takes a connection is the kernel's
// choice, so the tests dial until they have the shards they want.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/shard/control_plane_fixture.h"

namespace culvert {

inline constexpr int kMaxDials =
    100;  // the chance to miss one of four shards so often is 4 * (3/4)^100

struct Line {
  std::unique_ptr<testing::ScriptedClient> client;
  uint16_t call_id = 0;
};

class ManyShardsTest : public ControlPlaneTest {
 protected:
  void TearDown() override {
    ControlPlaneTest::TearDown();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  absl::Status StartShards(size_t num_shards, const std::string& more = "") {
    num_shards_ = num_shards;
    return Start(absl::StrCat("control.shards = ", num_shards, "\npptp.lcp_delay_ms = 10\n", more));
  }
  size_t ShardOf(uint16_t call_id) const { return call_id % num_shards_; }
  Line DialAny() {
    Line line;
    line.client = std::make_unique<testing::ScriptedClient>(port_);
    line.client->Start();
    line.call_id = Dial(*line.client, 1);
    EXPECT_NE(line.call_id, 0);
    return line;
  }
  // DialOn gives a call of that shard.
  Line DialOn(size_t shard) {
    for (int i = 0; i < kMaxDials; ++i) {
      Line line = DialAny();
      if (ShardOf(line.call_id) == shard) {
        return line;
      }
    }
    ADD_FAILURE() << "no connection came to shard " << shard;
    return {};
  }
  // DialEach gives a call of each shard, in order.
  std::vector<Line> DialEach() {
    std::vector<Line> lines;
    for (size_t shard = 0; shard < num_shards_; ++shard) {
      lines.push_back(DialOn(shard));
    }
    return lines;
  }
  std::optional<management::v1::Call> Shown(uint16_t call_id) {
    for (const management::v1::Call& call : List()) {
      if (call.call_id() == call_id) {
        return call;
      }
    }
    return std::nullopt;
  }
  bool IsOpen(uint16_t call_id) {
    const std::optional<management::v1::Call> call = Shown(call_id);
    return call && call->state() == "open";
  }
  testing::PppPeer LogInTo(const Line& line, const std::string& password = "secret") {
    testing::PppPeer peer{.dataplane = dataplane_.get(),
                          .handle = HandleOf(line.call_id),
                          .user = "alice",
                          .password = password};
    peer.Run([&] { return peer.pap_refused || IsOpen(line.call_id); });
    return peer;
  }
  // LogInEach dials and logs in one after another: a peer drops frames of other calls.
  std::vector<Line> LogInEach(std::set<uint32_t>* addresses = nullptr) {
    std::vector<Line> lines;
    for (size_t shard = 0; shard < num_shards_; ++shard) {
      lines.push_back(DialOn(shard));
      const testing::PppPeer peer = LogInTo(lines.back());
      EXPECT_TRUE(IsOpen(lines.back().call_id));
      if (addresses != nullptr) {
        addresses->insert(peer.client_address);
      }
    }
    return lines;
  }
  bool Empty() {
    return dataplane_->WaitFor([](const auto& left) { return left.empty(); }) &&
           Eventually([&] { return List().empty(); });
  }

  size_t num_shards_ = 1;
};

}  // namespace culvert
