// The client's MPPE against the peer of the data plane's tests, which is as Linux words it.
#include "tools/load/tunnel/encryption.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dataplane/rig/mppe_peer.h"

namespace culvert::load {
namespace {

using dataplane::Bytes;
using dataplane::MppePeer;

constexpr size_t kPeerHeaderLen = 6;  // FF 03 00 FD and MPPE's two octets

dataplane::MppeKeySpec Spec(uint16_t bits, bool stateful, uint8_t seed) {
  dataplane::MppeKeySpec spec;
  spec.bits = bits;
  spec.stateful = stateful;
  std::fill_n(spec.start_key.begin(), bits == 128 ? 16 : 8, seed);
  return spec;
}

Bytes Packet(uint8_t number) { return Bytes(100, number); }

class Pair {
 public:
  Pair(uint16_t bits, bool stateful)
      : encryption_(Encryption::Create()),
        send_(Spec(bits, stateful, 1)),
        receive_(Spec(bits, stateful, 2)),
        keys_(CallKeys::Create({.epoch = 1,
                                .send_bits = bits,
                                .receive_bits = bits,
                                .send_stateful = stateful,
                                .receive_stateful = stateful},
                               Key(send_), Key(receive_), encryption_->sha1())),
        server_in_(send_),
        server_out_(receive_) {}

  // Up seals packets in one batch; gives what the server makes of them.
  std::vector<std::optional<Bytes>> Up(const std::vector<Bytes>& packets) {
    std::vector<Bytes> frames;
    for (const Bytes& packet : packets) {
      Bytes frame(kPeerHeaderLen + 2);
      frame[kPeerHeaderLen + 1] = 0x21;
      frame.insert(frame.end(), packet.begin(), packet.end());
      frames.push_back(frame);
    }
    for (Bytes& frame : frames) {
      encryption_->Seal(keys_.get(), &frame[4], std::span(frame).subspan(kPeerHeaderLen));
    }
    encryption_->RunSend();
    std::vector<std::optional<Bytes>> out;
    for (const Bytes& frame : frames) {
      out.push_back(server_in_.Receive(frame));
    }
    return out;
  }
  // Down opens frames of the server in one batch.
  std::vector<std::optional<Bytes>> Down(std::vector<Bytes> frames) {
    std::vector<bool> planned;
    for (Bytes& frame : frames) {
      planned.push_back(encryption_->Open(keys_.get(), std::span(frame).subspan(4)) ==
                        Encryption::Planned::kYes);
    }
    encryption_->RunReceive();
    std::vector<std::optional<Bytes>> out;
    for (size_t i = 0; i < frames.size(); ++i) {
      out.push_back(
          planned[i] ? std::optional(Bytes(frames[i].begin() + kPeerHeaderLen + 2, frames[i].end()))
                     : std::nullopt);
    }
    return out;
  }

  static Secret Key(const dataplane::MppeKeySpec& spec) {
    return Secret(std::span(spec.start_key).first(spec.bits == 128 ? 16 : 8));
  }

  std::unique_ptr<Encryption> encryption_;
  const dataplane::MppeKeySpec send_, receive_;
  std::unique_ptr<CallKeys> keys_;
  MppePeer server_in_, server_out_;
};

TEST(Encryption, AgreesWithLinuxInEveryMode) {
  for (const uint16_t bits : {40, 56, 128}) {
    for (const bool stateful : {false, true}) {
      SCOPED_TRACE(bits * 10 + stateful);
      Pair pair(bits, stateful);
      for (int batch = 0; batch < 20; ++batch) {
        std::vector<Bytes> packets, frames;
        for (int i = 0; i < 40; ++i) {
          packets.push_back(Packet(static_cast<uint8_t>(batch * 40 + i)));
          frames.push_back(pair.server_out_.Send(packets.back()));
        }
        const auto up = pair.Up(packets), down = pair.Down(frames);
        for (size_t i = 0; i < packets.size(); ++i) {
          ASSERT_EQ(up[i], packets[i]) << batch << " " << i;
          ASSERT_EQ(down[i], packets[i]) << batch << " " << i;
        }
      }
    }
  }
}

TEST(Encryption, StatelessGoesOnAfterLosses) {
  Pair pair(128, false);
  for (const unsigned lost : {1, 300, 2000}) {
    pair.server_out_.Skip(lost);
    const Bytes frame = pair.server_out_.Send(Packet(9));
    EXPECT_EQ(pair.Down({frame})[0], Packet(9)) << lost;
    EXPECT_EQ(pair.Down({frame})[0], std::nullopt) << "the same one again";
  }
}

TEST(Encryption, StatefulAsksForAResetAndGoesOn) {
  Pair pair(128, true);
  EXPECT_EQ(pair.Down({pair.server_out_.Send(Packet(1))})[0], Packet(1));
  pair.server_out_.Skip(700);
  EXPECT_EQ(pair.Down({pair.server_out_.Send(Packet(2))})[0], std::nullopt);
  EXPECT_TRUE(pair.keys_->TakeWantsReset());
  EXPECT_FALSE(pair.keys_->TakeWantsReset()) << "once";
  pair.server_out_.FlushNext();
  EXPECT_EQ(pair.Down({pair.server_out_.Send(Packet(3))})[0], Packet(3));
  EXPECT_EQ(pair.Down({pair.server_out_.Send(Packet(4))})[0], Packet(4));
}

TEST(Encryption, StatefulFlushesWhenAsked) {
  Pair pair(128, true);
  EXPECT_EQ(pair.Up({Packet(1)})[0], Packet(1));
  // One is lost on its way.
  Bytes lost(kPeerHeaderLen + 20);
  pair.encryption_->Seal(pair.keys_.get(), &lost[4], std::span(lost).subspan(kPeerHeaderLen));
  pair.encryption_->RunSend();
  EXPECT_EQ(pair.Up({Packet(2)})[0], std::nullopt);
  EXPECT_TRUE(pair.server_in_.wants_reset());
  pair.encryption_->Flush(pair.keys_.get());
  EXPECT_EQ(pair.Up({Packet(3)})[0], Packet(3));
  EXPECT_EQ(pair.Up({Packet(4)})[0], Packet(4));
}

TEST(Encryption, RefusesWhatIsNoMppe) {
  Pair pair(128, false);
  Bytes frame = pair.server_out_.Send(Packet(1));
  EXPECT_EQ(pair.encryption_->Open(pair.keys_.get(), std::span(frame).subspan(4, 2)),
            Encryption::Planned::kMalformed);
  frame[4] &= 0xef;  // not encrypted
  EXPECT_EQ(pair.encryption_->Open(pair.keys_.get(), std::span(frame).subspan(4)),
            Encryption::Planned::kMalformed);
}

}  // namespace
}  // namespace culvert::load
