#include "proto/wire/ppp.h"

#include <algorithm>

namespace culvert::wire::ppp {
namespace {

constexpr size_t kControlHeaderLen = 4;
constexpr size_t kMaxControlData = 0xffff - kControlHeaderLen;
constexpr size_t kOptionHeaderLen = 2;
constexpr size_t kMaxOptionValue = 0xff - kOptionHeaderLen;

}  // namespace

tl::expected<ControlPacket, Error> ParseControl(Octets in) {
  if (in.size() < kControlHeaderLen) {
    return tl::unexpected(Error::kTruncated);
  }
  const uint16_t length = LoadBe16(&in[2]);
  if (length < kControlHeaderLen || length > in.size()) {
    return tl::unexpected(Error::kBadLength);
  }
  return ControlPacket{in[0], in[1], in.first(length).subspan(kControlHeaderLen)};
}

std::vector<uint8_t> EmitControl(uint16_t protocol, uint8_t code, uint8_t identifier, Octets data) {
  data = data.first(std::min(data.size(), kMaxControlData));
  std::vector<uint8_t> frame(2 + kControlHeaderLen + data.size());
  Writer out(frame);
  out.U16(protocol);
  out.U8(code);
  out.U8(identifier);
  out.U16(static_cast<uint16_t>(kControlHeaderLen + data.size()));
  out.Bytes(data);
  return frame;
}

tl::expected<std::vector<Option>, Error> ParseOptions(Octets data) {
  std::vector<Option> options;
  while (!data.empty()) {
    if (data.size() < kOptionHeaderLen || data[1] < kOptionHeaderLen || data[1] > data.size()) {
      return tl::unexpected(Error::kBadOption);
    }
    options.push_back({data[0], data.first(data[1]).subspan(kOptionHeaderLen)});
    data = data.subspan(data[1]);
  }
  return options;
}

void OptionList::Add(uint8_t type, Octets value) {
  value = value.first(std::min(value.size(), kMaxOptionValue));
  octets_.push_back(type);
  octets_.push_back(static_cast<uint8_t>(kOptionHeaderLen + value.size()));
  octets_.insert(octets_.end(), value.begin(), value.end());
}

void OptionList::AddU16(uint8_t type, uint16_t value) {
  uint8_t octets[2];
  StoreBe16(octets, value);
  Add(type, octets);
}

void OptionList::AddU32(uint8_t type, uint32_t value) {
  uint8_t octets[4];
  StoreBe32(octets, value);
  Add(type, octets);
}

void OptionList::AddFlag(uint8_t type) { Add(type, {}); }

}  // namespace culvert::wire::ppp
