#include "proto/wire/eap.h"

#include <algorithm>

namespace culvert::wire::eap {
namespace {

constexpr size_t kHeaderLen = 4;
constexpr size_t kMaxLen = 0xffff;

void PutU16(size_t value, std::vector<uint8_t>* out) {
  out->push_back(static_cast<uint8_t>(value >> 8));
  out->push_back(static_cast<uint8_t>(value));
}

}  // namespace

tl::expected<Packet, Error> Parse(Octets in) {
  Reader reader(in);
  Packet packet;
  packet.code = reader.U8();
  packet.identifier = reader.U8();
  const uint16_t length = reader.U16();
  if (!reader.ok()) {
    return tl::unexpected(Error::kTruncated);
  }
  if (packet.code < kRequest || packet.code > kFailure) {
    return tl::unexpected(Error::kBadCode);
  }
  if (length < kHeaderLen || length > in.size()) {
    return tl::unexpected(Error::kBadLength);
  }
  Octets rest = reader.rest().first(length - kHeaderLen);
  const bool has_type = packet.code == kRequest || packet.code == kResponse;
  if (has_type == rest.empty()) {
    return tl::unexpected(Error::kBadLength);
  }
  if (has_type) {
    packet.type = rest.front();
    packet.data = rest.subspan(1);
  }
  return packet;
}

std::vector<uint8_t> Emit(const Packet& packet) {
  const bool has_type = packet.code == kRequest || packet.code == kResponse;
  const size_t front_len = kHeaderLen + (has_type ? 1 : 0);
  const Octets data =
      has_type ? packet.data.first(std::min(packet.data.size(), kMaxLen - front_len)) : Octets();
  std::vector<uint8_t> out = {packet.code, packet.identifier};
  out.reserve(front_len + data.size());
  PutU16(front_len + data.size(), &out);
  if (has_type) {
    out.push_back(packet.type);
  }
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

namespace mschapv2 {

tl::expected<Message, Error> Parse(Octets type_data) {
  Reader reader(type_data);
  Message message;
  message.op_code = reader.U8();
  if (!reader.ok()) {
    return tl::unexpected(Error::kTruncated);
  }
  // The answers to Success and Failure are the op code alone; Windows XP adds octets and lengths
  // that mean nothing.
  const bool may_be_short = message.op_code == kSuccess || message.op_code == kFailure;
  message.identifier = reader.U8();
  const uint16_t length = reader.U16();
  if (reader.ok() && length >= kHeaderLen && length <= type_data.size()) {
    message.data = type_data.subspan(kHeaderLen, length - kHeaderLen);
    return message;
  }
  if (!may_be_short) {
    return tl::unexpected(reader.ok() ? Error::kBadLength : Error::kTruncated);
  }
  message.identifier = 0;
  return message;
}

std::vector<uint8_t> Emit(const Message& message, bool has_header) {
  if (!has_header) {
    return {message.op_code};
  }
  const Octets data = message.data.first(std::min(message.data.size(), kMaxLen - kHeaderLen));
  std::vector<uint8_t> out = {message.op_code, message.identifier};
  out.reserve(kHeaderLen + data.size());
  PutU16(kHeaderLen + data.size(), &out);
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

}  // namespace mschapv2

}  // namespace culvert::wire::eap
