#include "tests/golden/pcap.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "proto/wire/byte_order.h"
#include "proto/wire/gre.h"
#include "proto/wire/ip/ip.h"

namespace culvert::testing {
namespace {

using wire::LoadBe16;
using wire::LoadBe32;
using wire::Octets;

constexpr uint32_t kPcapMagic = 0xa1b2c3d4;
constexpr size_t kFileHeaderLen = 24;
constexpr size_t kRecordHeaderLen = 16;
constexpr uint32_t kEthernet = 1;
constexpr uint32_t kLinuxCooked = 113;
constexpr uint8_t kTcp = 6;
constexpr uint16_t kPptpPort = 1723;
constexpr uint8_t kSyn = 2;

uint32_t LoadLe32(const uint8_t* from) { return __builtin_bswap32(LoadBe32(from)); }

}  // namespace

tl::expected<std::vector<CapturedPacket>, std::string> ReadPcap(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<uint8_t> octets{std::istreambuf_iterator<char>(file), {}};
  if (octets.size() < kFileHeaderLen || LoadLe32(octets.data()) != kPcapMagic) {
    return tl::unexpected(path + ": cannot be read as a little-endian microsecond pcap file");
  }
  const uint32_t link_type = LoadLe32(&octets[20]);
  if (link_type != kEthernet && link_type != kLinuxCooked) {
    return tl::unexpected(path + ": link type " + std::to_string(link_type) +
                          "; known are 1 (Ethernet) and 113 (Linux cooked)");
  }
  const size_t link_header_len = link_type == kEthernet ? 14 : 16;
  std::vector<CapturedPacket> packets;
  Octets in = Octets(octets).subspan(kFileHeaderLen);
  while (!in.empty()) {
    const size_t len = in.size() < kRecordHeaderLen ? 0 : LoadLe32(&in[8]);
    if (len < link_header_len || len > in.size() - kRecordHeaderLen) {
      return tl::unexpected(path + ": record " + std::to_string(packets.size()) + " is cut off");
    }
    const Octets data = in.subspan(kRecordHeaderLen, len);
    packets.push_back({LoadLe32(&in[0]) * uint64_t{1000000} + LoadLe32(&in[4]),
                       LoadBe16(&data[link_header_len - 2]),
                       {data.begin() + static_cast<ptrdiff_t>(link_header_len), data.end()}});
    in = in.subspan(kRecordHeaderLen + len);
  }
  return packets;
}

std::optional<std::vector<uint8_t>> Ipv4Reassembler::Add(Octets packet) {
  const auto header = wire::ip::ParseIpv4(packet);
  if (!header.has_value()) {
    return std::nullopt;
  }
  packet = packet.first(header->total_len);
  if (!header->IsFragment()) {
    return std::vector<uint8_t>(packet.begin(), packet.end());
  }
  const Key key{header->source, header->destination, LoadBe16(&packet[4]), header->protocol};
  Datagram& datagram = datagrams_[key];
  const Octets payload = packet.subspan(header->header_len);
  const size_t offset = (header->fragment & 0x1fffu) * 8;
  datagram.parts[offset].assign(payload.begin(), payload.end());
  if (offset == 0) {
    const Octets first = packet.first(header->header_len);
    datagram.header.assign(first.begin(), first.end());
  }
  if ((header->fragment & 0x2000) == 0) {
    datagram.payload_len = offset + payload.size();
  }
  std::vector<uint8_t> whole = datagram.header;
  for (const auto& [at, part] : datagram.parts) {
    if (whole.size() != datagram.header.size() + at) {
      return std::nullopt;
    }
    whole.insert(whole.end(), part.begin(), part.end());
  }
  if (whole.size() != datagram.header.size() + datagram.payload_len.value_or(SIZE_MAX)) {
    return std::nullopt;
  }
  const size_t header_len = datagram.header.size();
  datagrams_.erase(key);
  wire::StoreBe16(&whole[2], static_cast<uint16_t>(whole.size()));
  wire::StoreBe16(&whole[6], 0);
  wire::StoreBe16(&whole[10], 0);
  wire::StoreBe16(&whole[10], wire::ip::Checksum(Octets(whole).first(header_len)));
  return whole;
}

void TcpStream::AddSegment(Octets tcp) {
  if (tcp.size() < 20 || tcp.size() < static_cast<size_t>(tcp[12] >> 4) * 4) {
    return;
  }
  const uint32_t sequence = LoadBe32(&tcp[4]);
  if ((tcp[13] & kSyn) != 0) {
    first_sequence_ = sequence + 1;
    return;
  }
  const Octets payload = tcp.subspan(static_cast<size_t>(tcp[12] >> 4) * 4);
  if (payload.empty() || !first_sequence_.has_value()) {
    return;
  }
  std::vector<uint8_t>& held = segments_[sequence - *first_sequence_];
  if (held.size() < payload.size()) {
    held.assign(payload.begin(), payload.end());
  }
}

std::vector<uint8_t> TcpStream::Bytes() const {
  std::vector<uint8_t> bytes;
  for (const auto& [at, segment] : segments_) {
    if (at > bytes.size()) {
      break;
    }
    const size_t known = std::min(segment.size(), bytes.size() - at);
    bytes.insert(bytes.end(), segment.begin() + static_cast<ptrdiff_t>(known), segment.end());
  }
  return bytes;
}

bool TcpStream::Complete() const {
  size_t end = 0;
  for (const auto& [at, segment] : segments_) {
    end = std::max(end, at + segment.size());
  }
  return first_sequence_.has_value() && Bytes().size() == end;
}

std::vector<std::string> SessionNames() {
  std::vector<std::string> names;
  std::error_code error;  // no such folder: no sessions
  for (const auto& entry : std::filesystem::directory_iterator(CULVERT_CAPTURES, error)) {
    if (entry.is_directory()) {
      names.push_back(entry.path().filename());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

tl::expected<Session, std::string> LoadSession(const std::string& name) {
  const std::filesystem::path folder = std::filesystem::path(CULVERT_CAPTURES) / name;
  auto outer = ReadPcap(folder / "outer.pcap");
  if (!outer.has_value()) {
    return tl::unexpected(outer.error());
  }
  Session session;
  Ipv4Reassembler reassembler;
  uint32_t client = 0;  // who sent to port 1723 first
  for (const CapturedPacket& packet : *outer) {
    std::optional<std::vector<uint8_t>> whole = reassembler.Add(packet.data);
    if (!whole.has_value()) {
      continue;
    }
    const auto header = *wire::ip::ParseIpv4(*whole);
    const Octets payload = Octets(*whole).subspan(header.header_len);
    if (header.protocol == kTcp && payload.size() >= 20) {
      const bool to_server = LoadBe16(&payload[2]) == kPptpPort;
      client = to_server ? header.source : header.destination;
      (to_server ? session.control_from_client : session.control_from_server).AddSegment(payload);
    } else if (header.protocol == wire::gre::kIpProtocol) {
      session.gre.push_back(
          {packet.time_us, header.source == client, std::move(*whole), header.header_len});
    }
  }
  if (std::filesystem::exists(folder / "inner.pcap")) {
    auto inner = ReadPcap(folder / "inner.pcap");
    if (!inner.has_value()) {
      return tl::unexpected(inner.error());
    }
    session.inner = std::move(*inner);
  }
  return session;
}

}  // namespace culvert::testing
