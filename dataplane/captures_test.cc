// Captured sessions of real Linux clients and servers through the data path: each side's GRE
// packets go into a call with that side's keys, and what comes out is compared with inner.pcap.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>

#include "dataplane/rig/call_rig.h"
#include "proto/wire/auth.h"
#include "proto/wire/ppp.h"
#include "tests/golden/pcap.h"

namespace culvert::dataplane {
namespace {

using testing::GrePacket;
using testing::Session;

constexpr char kPassword[] = "secret";

Bytes Digest(const char* name, const Bytes& input) {
  EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  Bytes digest(static_cast<size_t>(EVP_MD_get_size(md)));
  EVP_Digest(input.data(), input.size(), digest.data(), nullptr, md, nullptr);
  EVP_MD_free(md);
  return digest;
}

Bytes Text(const std::string& text) { return {text.begin(), text.end()}; }

Bytes Sha1Key(const Bytes& input) {
  Bytes key = Digest("SHA1", input);
  key.resize(16);
  return key;
}

// What the negotiation in a capture came to.
struct Negotiated {
  Bytes challenge;
  Bytes response;
  std::map<bool, uint32_t> mppe;  // client sends? -> option 18 of the server's or client's Ack
  bool is_v2 = false;
};

void Learn(const GrePacket& packet, Negotiated* out) {
  const auto gre = wire::gre::Parse(packet.gre());
  if (!gre || gre->payload_len == 0) {
    return;
  }
  const auto frame =
      wire::ppp::ParseFrame(packet.gre().subspan(wire::gre::HeaderLen(*gre), gre->payload_len));
  if (!frame || frame->protocol < 0x4000) {
    return;
  }
  const auto control = wire::ppp::ParseControl(frame->information);
  if (!control) {
    return;
  }
  const bool is_challenge = control->code == wire::chap::kChallenge;
  if (frame->protocol == wire::ppp::kChap &&
      (is_challenge || control->code == wire::chap::kResponse)) {
    const auto value = wire::chap::ParseValue(control->data);
    ASSERT_TRUE(value);
    Bytes& kept = is_challenge ? out->challenge : out->response;
    kept.assign(value->value.begin(), value->value.end());
    out->is_v2 = out->challenge.size() == 16;
  }
  if (frame->protocol == wire::ppp::kCcp && control->code == wire::ppp::kConfigureAck &&
      control->data.size() == 6) {
    // The Ack allows its sender's own sending: it answers what the other one can receive.
    out->mppe[packet.from_client] = wire::LoadBe32(&control->data[2]);
  }
}

// StartKey for packets from the client or from the server (RFC 3079 s2.4, s3).
Bytes StartKey(const Negotiated& session, bool from_client) {
  Bytes unicode;
  for (const char c : std::string(kPassword)) {
    unicode.push_back(static_cast<uint8_t>(c));
    unicode.push_back(0);
  }
  const Bytes hash_hash = Digest("MD4", Digest("MD4", unicode));
  if (!session.is_v2) {
    const Bytes challenge(session.challenge.begin(), session.challenge.begin() + 8);
    return Sha1Key(hash_hash + hash_hash + challenge);
  }
  const Bytes nt_response(session.response.begin() + 24, session.response.begin() + 48);
  const Bytes master = Sha1Key(hash_hash + nt_response + Text("This is the MPPE Master Key"));
  const std::string words = from_client ? "send key; on the server side, it is the receive key."
                                        : "receive key; on the server side, it is the send key.";
  return Sha1Key(master + Bytes(40, 0x00) + Text("On the client side, this is the " + words) +
                 Bytes(40, 0xf2));
}

class CapturesTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    for (const char* name : {"legacy", "default"}) {
      providers_.push_back(OSSL_PROVIDER_load(nullptr, name));
    }
  }
  static void TearDownTestSuite() {
    for (OSSL_PROVIDER* provider : providers_) {
      OSSL_PROVIDER_unload(provider);
    }
    providers_.clear();
  }

  // Replay gives what one side's packets become: IP packets, and frames for the control plane.
  struct Result {
    std::vector<Bytes> packets;
    std::vector<Bytes> frames;
    uint64_t drops = 0;
  };
  static Result Replay(const Session& session, const Negotiated& negotiated, bool from_client);

 private:
  static inline std::vector<OSSL_PROVIDER*> providers_;
};

// SwapRoles makes this machine the client's, so that it receives what the server sent.
void SwapRoles(CallRig* rig, CallSpec* spec) {
  Datapath& path = rig->datapath();
  const RouteTarget local{RouteTarget::Kind::kLocal, 0, 0};
  EXPECT_TRUE(path.RemoveRoute(kLocal, 32).ok());
  EXPECT_TRUE(path.RemoveRoute(kGateway, 32).ok());
  EXPECT_TRUE(path.SetRoute(kClient, 32, local).ok());
  path.SetNeighbour(0, kLocal, Rig::PeerMac(0));
  std::swap(spec->local_address, spec->peer_address);
  spec->client_address = kGateway;
}

CapturesTest::Result CapturesTest::Replay(const Session& session, const Negotiated& negotiated,
                                          bool from_client) {
  CallRig rig([] {
    Rig::Options options;
    options.punt_rate = 100000;
    return options;
  }());
  CallSpec spec = CallRig::Spec();
  if (!from_client) {
    SwapRoles(&rig, &spec);
  }
  if (negotiated.mppe.count(from_client) != 0) {
    spec.receive.emplace();
    spec.receive->bits =
        (negotiated.mppe.at(from_client) & wire::ppp::ccp::k128Bit) != 0 ? 128 : 40;
    spec.receive->stateful = (negotiated.mppe.at(from_client) & wire::ppp::ccp::kStateless) == 0;
    const Bytes key = StartKey(negotiated, from_client);
    std::copy_n(key.begin(), spec.receive->bits == 128 ? 16 : 8, spec.receive->start_key.begin());
    spec.require_encryption = true;
  }
  rig.Program(spec);
  Result result;
  const auto run = [&rig, &result] {
    rig.Run();
    for (Bytes& inner_packet : rig.PuntedToClients()) {
      result.packets.push_back(std::move(inner_packet));
    }
    for (auto& frame : rig.PuntedFrames()) {
      result.frames.push_back(std::move(frame.data));
    }
    rig.Sent(0);
  };
  for (const GrePacket& packet : session.gre) {
    if (packet.from_client == from_client) {
      Bytes ip = packet.ip;
      wire::StoreBe16(&ip[packet.ip_header_len + 6], kCallId);  // pptpd takes 0, we never do
      rig.ReceiveIpv4(0, ip);
      run();
    }
  }
  // What waits for packets that are lost comes when its time is up.
  std::this_thread::sleep_for(std::chrono::milliseconds(spec.reorder.delay_ms + 10));
  run();
  result.drops = rig.TotalDrops();
  return result;
}

struct Match {
  size_t equal = 0, early = 0, only_outside = 0, only_inside = 0;
};

// Compare walks both lists; losses made on purpose leave packets on one side only.
Match Compare(const std::vector<Bytes>& outside, const std::vector<Bytes>& inside) {
  Match match;
  auto at = inside.begin();
  for (const Bytes& packet : outside) {
    const auto found = std::find(at, inside.end(), packet);
    if (found != inside.end()) {
      match.only_inside += static_cast<size_t>(found - at);
      ++match.equal;
      at = found + 1;
    } else if (at == inside.begin()) {
      ++match.early;  // before the inner capture began
    } else {
      ++match.only_outside;
    }
  }
  match.only_inside += static_cast<size_t>(inside.end() - at);
  return match;
}

TEST_P(CapturesTest, DecryptsToTheInnerPackets) {
  const auto session = testing::LoadSession(GetParam());
  ASSERT_TRUE(session) << session.error();
  Negotiated negotiated;
  for (const GrePacket& packet : session->gre) {
    Learn(packet, &negotiated);
  }
  const bool lossy = GetParam().find("loss") != std::string::npos;
  // A stateful call loses the frames until a reset as well, in the client or here.
  const bool resets = lossy && GetParam().find("st-") != std::string::npos;
  for (const bool from_client : {true, false}) {
    SCOPED_TRACE(from_client ? "from the client" : "from the server");
    const Result result = Replay(*session, negotiated, from_client);
    std::vector<Bytes> inside;
    std::vector<Bytes> inside_ipv6;
    for (const auto& packet : session->inner) {
      const bool sent_by_client =
          packet.ether_type == 0x0800 && wire::LoadBe32(&packet.data[12]) == kClient;
      if (packet.ether_type == 0x0800 && sent_by_client == from_client) {
        inside.push_back(packet.data);
      }
      if (packet.ether_type == 0x86dd) {
        inside_ipv6.push_back(packet.data);
      }
    }
    const Match match = Compare(result.packets, inside);
    EXPECT_EQ(match.equal + match.early + match.only_outside, result.packets.size());
    EXPECT_GE(match.equal, inside.empty() ? 0u : 3u);
    EXPECT_LE(match.early, 2u);
    EXPECT_LE(match.only_outside, resets ? 9u : lossy ? 3u : 0u);
    EXPECT_LE(match.only_inside, resets ? 9u : lossy ? 3u : 0u);
    EXPECT_LE(result.drops, resets && from_client ? 6u : 0u);
    // IPv6 is the control plane's to reject; it comes whole.
    size_t equal_ipv6 = 0;
    size_t num_ipv6 = 0;
    for (const Bytes& frame : result.frames) {
      ASSERT_GE(frame.size(), 2u);
      if (wire::LoadBe16(frame.data()) != wire::ppp::kIpv6) {
        EXPECT_GE(wire::LoadBe16(frame.data()), 0x8000);
        continue;
      }
      const Bytes packet(frame.begin() + 2, frame.end());
      ++num_ipv6;
      equal_ipv6 += std::count(inside_ipv6.begin(), inside_ipv6.end(), packet) > 0 ? 1 : 0;
    }
    EXPECT_LE(num_ipv6, equal_ipv6 + 2) << "only the first are older than the inner capture";
    EXPECT_FALSE(result.frames.empty());
  }
}

std::string TestName(const ::testing::TestParamInfo<std::string>& session) {
  std::string name = session.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, CapturesTest, ::testing::ValuesIn(testing::SessionNames()), TestName);

}  // namespace
}  // namespace culvert::dataplane
