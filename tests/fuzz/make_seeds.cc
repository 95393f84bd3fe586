// make_seeds DIR writes DIR/TARGET/... : first inputs for the fuzz targets, from the captures of
// real sessions and the vectors.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "proto/wire/gre.h"
#include "proto/wire/ppp.h"
#include "tests/golden/pcap.h"
#include "tests/vectors/vectors.h"

namespace {

using culvert::wire::Octets;
namespace gre = culvert::wire::gre;
namespace ppp = culvert::wire::ppp;
namespace fs = std::filesystem;
using OctetVector = std::vector<uint8_t>;

constexpr size_t kMaxSeedsPerTarget = 200;
constexpr size_t kMaxChunk = 220;  // larger first octets are commands of the framed targets

// Seeds collects distinct inputs by target.
class Seeds {
 public:
  void Add(const std::string& target, OctetVector input) {
    std::set<OctetVector>& inputs = by_target_[target];
    if (inputs.size() < kMaxSeedsPerTarget) {
      inputs.insert(std::move(input));
    }
  }
  void Write(const fs::path& folder) const {
    for (const auto& [target, inputs] : by_target_) {
      fs::create_directories(folder / target);
      size_t number = 0;
      for (const OctetVector& input : inputs) {
        std::ofstream file(folder / target / std::to_string(number++), std::ios::binary);
        file.write(reinterpret_cast<const char*>(input.data()),
                   static_cast<std::streamsize>(input.size()));
      }
    }
  }

 private:
  std::map<std::string, std::set<OctetVector>> by_target_;
};

OctetVector Join(OctetVector front, Octets back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

// AppendChunk adds a piece in the form of the framed targets: length, octets.
void AppendChunk(Octets chunk, OctetVector* out) {
  chunk = chunk.first(std::min(chunk.size(), kMaxChunk));
  out->push_back(static_cast<uint8_t>(chunk.size()));
  out->insert(out->end(), chunk.begin(), chunk.end());
}

void AddControlStream(Octets stream, Seeds* seeds) {
  seeds->Add("pptp_stream", Join({255}, stream));
  seeds->Add("pptp_stream", Join({6}, stream));
  OctetVector framed = {0};
  for (; !stream.empty(); stream = stream.subspan(std::min(stream.size(), kMaxChunk))) {
    AppendChunk(stream.first(std::min(stream.size(), kMaxChunk)), &framed);
  }
  seeds->Add("control_connection", framed);
}

void AddFrame(Octets frame, Seeds* seeds) {
  seeds->Add("ppp_frame", Join({}, frame));
  const auto parsed = ppp::ParseFrame(frame);
  if (!parsed.has_value()) {
    return;
  }
  if (parsed->protocol == ppp::kPap || parsed->protocol == ppp::kChap) {
    if (const auto packet = ppp::ParseControl(parsed->information)) {
      seeds->Add("auth", Join({}, packet->data));
    }
  }
  if (parsed->protocol == ppp::kEap) {
    seeds->Add("eap", Join({}, parsed->information));
  }
  if (parsed->protocol == ppp::kIpv4) {
    seeds->Add("ipv4", Join({0x02, 0x00}, parsed->information));
    seeds->Add("icmp", Join({}, parsed->information));
  }
}

void AddSession(const culvert::testing::Session& session, Seeds* seeds) {
  AddControlStream(session.control_from_client.Bytes(), seeds);
  AddControlStream(session.control_from_server.Bytes(), seeds);
  OctetVector framed = {0};
  for (const auto& packet : session.gre) {
    const auto header = gre::Parse(packet.gre());
    if (!header.has_value() || packet.ip.size() > 300) {
      continue;
    }
    seeds->Add("gre", Join({}, packet.gre()));
    const Octets frame = packet.gre().subspan(gre::HeaderLen(*header));
    AddFrame(frame, seeds);
    if (packet.from_client && framed.size() < 2000 && !frame.empty()) {
      AppendChunk(frame, &framed);
    }
  }
  seeds->Add("ppp_call", framed);
}

void AddVectors(Seeds* seeds) {
  const auto& vectors = culvert::testing::Vectors();
  const auto hex = [](const auto& row) {
    return culvert::testing::FromHex(row.template get<std::string>());
  };
  OctetVector stream;
  for (const auto& row : vectors["pptp_messages"]["rows"]) {
    AddControlStream(hex(row), seeds);
    stream = Join(stream, hex(row));
  }
  AddControlStream(stream, seeds);
  for (const auto& row : vectors["gre_frames"]["rows"]) {
    seeds->Add("gre", hex(row));
  }
  for (const auto& [name, row] : vectors["eap"].items()) {
    if (name != "kind") {
      seeds->Add("eap", hex(row));
    }
  }
  OctetVector framed = {0};
  for (const auto& row : vectors["ppp_frames"]["rows"]) {
    AddFrame(hex(row), seeds);
    AppendChunk(hex(row), &framed);
  }
  seeds->Add("ppp_call", framed);
  for (const char* name : {"access_request", "access_accept"}) {
    seeds->Add("radius_packet", hex(vectors["radius_mschapv2_exchange"][name]));
  }
  for (const auto& row : vectors["rfc2865_7"]["rows"]) {
    seeds->Add("radius_packet", hex(row["packet"]));
  }
  // Code, identifier, attributes: session and user; user, time-outs and a rate.
  using culvert::testing::FromHex;
  seeds->Add("radius_dynamic",
             Join({1, 7}, FromHex("2c0a30303030414243440106557365721b0600000e10")));
  seeds->Add("radius_dynamic", Join({0, 7}, FromHex("0106557365721b0600000e101c060000003c190667"
                                                    "6f6c641a0c0000372a0706000f424021036f")));
  // A SYN of 10.0.0.2 to 192.0.2.1, to be clamped to 512.
  const OctetVector ip = culvert::testing::FromHex(
      "0200450000341234400040060000"
      "0a000002c0000201");
  seeds->Add("ipv4", Join(ip, hex(vectors["checksum"]["mss_clamp"]["before"])));
}

// Commands of ppp_call.cc and control_connection.cc.
constexpr uint8_t kAcknowledge = 242, kRespond = 243, kAccept = 245, kReject = 247;
constexpr uint8_t kWriteAll = 242, kAcceptCall = 244, kStop = 247;

// AddCalls writes whole calls as the state machines' targets take them: a peer that gets through
// to traffic, with MPPE denied (0), allowed (1) and required (2), and one that does not.
void AddCalls(Seeds* seeds) {
  const auto hex = [](const char* text) { return culvert::testing::FromHex(text); };
  for (const uint8_t settings : {0, 1, 2}) {
    OctetVector call = {settings};
    AppendChunk(hex("c0210101001402060000000005060102030407020802"), &call);
    call.insert(call.end(), {kAcknowledge, kRespond});
    OctetVector refused = call;
    refused.push_back(kReject);
    seeds->Add("ppp_call", refused);
    call.push_back(kAccept);
    if (settings != 0) {
      call.push_back(kAcknowledge);
      AppendChunk(hex("80fd0101000a120601000040"), &call);
    }
    call.push_back(kAcknowledge);
    AppendChunk(hex("80210101000a03060a4d000a"), &call);
    AppendChunk(hex("c021090500080a0b0c0d"), &call);
    AppendChunk(hex("c02105060004"), &call);
    seeds->Add("ppp_call", call);
  }
  const auto& rows = culvert::testing::Vectors()["pptp_messages"]["rows"];
  OctetVector control = {1};
  for (const char* name : {"SCCRQ_windows_like", "OCRQ_windows_like", "EchoRQ", "CCRQ"}) {
    AppendChunk(culvert::testing::FromHex(rows[name].get<std::string>()), &control);
    control.insert(control.end(), {kAcceptCall, kWriteAll});
  }
  control.push_back(kStop);
  seeds->Add("control_connection", control);
  OctetVector link;
  for (const char* piece :
       {"018500000000000000", "018700000000000000fe800000000000000000000000000001", "ff",
        "0201abcdef0001000a00030001020304050607000600040017001800080002000000030"
        "00c0000000100000000000000000019000c000000020000000000000000000e0000",
        "0203abcdef0001000a00030001020304050607000200050004010203000600020017"
        "0019000c000000020000000000000000",
        "0208abcdef0001000a00030001020304050607000200050004010203"
        "00190029000000020000000000000000001a001900000000000000003820010db8ff000000000000000000000"
        "0"}) {
    AppendChunk(hex(piece), &link);
  }
  seeds->Add("ipv6_link", link);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_seeds DIR\n");
    return 2;
  }
  Seeds seeds;
  for (const std::string& name : culvert::testing::SessionNames()) {
    const auto session = culvert::testing::LoadSession(name);
    if (!session.has_value()) {
      std::fprintf(stderr, "%s\n", session.error().c_str());
      return 1;
    }
    AddSession(*session, &seeds);
  }
  AddVectors(&seeds);
  AddCalls(&seeds);
  seeds.Write(argv[1]);
  return 0;
}
