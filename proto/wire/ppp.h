// PPP frames as GRE carries them (RFC 2637 s4, RFC 1661 s2) and the packets that all
// control protocols share (RFC 1661 s5, RFC 1962, RFC 1332).
#pragma once

#include <cstdint>
#include <tl/expected.hpp>
#include <vector>

#include "proto/wire/byte_order.h"
#include "proto/wire/cursor.h"

namespace culvert::wire::ppp {

enum Protocol : uint16_t {
  kIpv4 = 0x0021,
  kVjCompressed = 0x002d,
  kVjUncompressed = 0x002f,
  kMultilink = 0x003d,
  kIpv6 = 0x0057,
  kMppe = 0x00fd,
  kIpcp = 0x8021,
  kIpv6cp = 0x8057,
  kCcp = 0x80fd,
  kLcp = 0xc021,
  kPap = 0xc023,
  kLqr = 0xc025,
  kCbcp = 0xc029,
  kChap = 0xc223,
  kEap = 0xc227,
};

struct Frame {
  uint16_t protocol = 0;
  Octets information;  // borrowed
};

enum class Error : uint8_t {
  kTruncated,
  kBadProtocol,  // parity bits of the protocol field are wrong (RFC 1661 s2)
  kBadLength,    // length field below 4 or beyond the octets there are
  kBadOption,    // an option's length is below 2 or goes beyond the packet
};

// ParseFrame takes `[FF 03] protocol information`, with ACFC and PFC forms always allowed.
// Every assigned protocol has an even first and an odd last octet (RFC 1661 s2); 00ff is kept
// free for the address octet (s6.6), so it is kBadProtocol as well.
[[nodiscard]] inline tl::expected<Frame, Error> ParseFrame(Octets in) {
  if (in.size() >= 2 && in[0] == 0xff && in[1] == 0x03) {
    in = in.subspan(2);
  }
  if (in.empty()) {
    return tl::unexpected(Error::kTruncated);
  }
  const bool compressed = (in[0] & 1) != 0;
  if (!compressed && in.size() < 2) {
    return tl::unexpected(Error::kTruncated);
  }
  const uint16_t protocol = compressed ? in[0] : LoadBe16(in.data());
  if ((protocol & 1) == 0 || protocol == 0x00ff) {
    return tl::unexpected(Error::kBadProtocol);
  }
  return Frame{protocol, in.subspan(compressed ? 1 : 2)};
}

// Codes of LCP, IPCP, CCP (RFC 1661 s5, RFC 1570 s2, RFC 1962 s3).
enum Code : uint8_t {
  kConfigureRequest = 1,
  kConfigureAck = 2,
  kConfigureNak = 3,
  kConfigureReject = 4,
  kTerminateRequest = 5,
  kTerminateAck = 6,
  kCodeReject = 7,
  kProtocolReject = 8,
  kEchoRequest = 9,
  kEchoReply = 10,
  kDiscardRequest = 11,
  kIdentification = 12,
  kTimeRemaining = 13,
  kResetRequest = 14,
  kResetAck = 15,
};

// A packet of any control or authentication protocol: code, identifier, length, data.
struct ControlPacket {
  uint8_t code = 0;
  uint8_t identifier = 0;
  Octets data;  // borrowed; without the four header octets
};

// ParseControl ignores padding after the length (RFC 1661 s5).
[[nodiscard]] tl::expected<ControlPacket, Error> ParseControl(Octets in);
// EmitControl gives a frame from the two-octet protocol field on, without FF 03.
// `data` of at most 65,531 octets, and cut there: the length is 16 bits.
std::vector<uint8_t> EmitControl(uint16_t protocol, uint8_t code, uint8_t identifier, Octets data);

struct Option {
  uint8_t type = 0;
  Octets value;  // borrowed; without type and length octets
};
// ParseOptions checks the whole list first: a lying length makes the packet invalid, and no
// option of it is used.
[[nodiscard]] tl::expected<std::vector<Option>, Error> ParseOptions(Octets data);

// OptionList collects options in wire form.
class OptionList {
 public:
  // Add takes a value of at most 253 octets; a longer one is cut, for the length is one octet.
  void Add(uint8_t type, Octets value);
  void AddU16(uint8_t type, uint16_t value);
  void AddU32(uint8_t type, uint32_t value);
  void AddFlag(uint8_t type);
  [[nodiscard]] Octets octets() const { return octets_; }
  [[nodiscard]] bool empty() const { return octets_.empty(); }

 private:
  std::vector<uint8_t> octets_;
};

// Option types.
namespace lcp {
enum OptionType : uint8_t {
  kMru = 1,
  kAccm = 2,
  kAuthentication = 3,
  kQuality = 4,
  kMagicNumber = 5,
  kPfc = 7,
  kAcfc = 8,
  kCallback = 13,
  kMrru = 17,
  kEndpointDiscriminator = 19,
};
}  // namespace lcp
namespace ipcp {  // RFC 1332, RFC 1877
enum OptionType : uint8_t {
  kIpAddresses = 1,
  kCompression = 2,
  kIpAddress = 3,
  kPrimaryDns = 129,
  kPrimaryNbns = 130,
  kSecondaryDns = 131,
  kSecondaryNbns = 132,
};
}  // namespace ipcp
namespace ipv6cp {  // RFC 5072
constexpr uint8_t kInterfaceId = 1;
}  // namespace ipv6cp
namespace ccp {
constexpr uint8_t kMppe = 18;  // RFC 3078 s2
// Supported bits of option 18.
constexpr uint32_t kStateless = 0x01000000;
constexpr uint32_t k56Bit = 0x00000080;
constexpr uint32_t k128Bit = 0x00000040;
constexpr uint32_t k40Bit = 0x00000020;
constexpr uint32_t kObsolete = 0x00000010;
constexpr uint32_t kMppc = 0x00000001;
}  // namespace ccp

// MPPE's two-octet header (RFC 3078 s3.1).
namespace mppe {
constexpr uint16_t kFlushed = 0x8000;    // A
constexpr uint16_t kEncrypted = 0x1000;  // D
constexpr uint16_t kCountMask = 0x0fff;
}  // namespace mppe

}  // namespace culvert::wire::ppp
