#include "proto/wire/auth.h"

#include <algorithm>

#include "proto/wire/byte_order.h"

namespace culvert::wire {
namespace {

constexpr size_t kMaxCounted = 255;  // what a one-octet length can say

std::string_view AsText(Octets octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

Octets AsOctets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// AppendCounted writes a length octet and at most 255 octets.
void AppendCounted(Octets octets, std::vector<uint8_t>* out) {
  octets = octets.first(std::min(octets.size(), kMaxCounted));
  out->push_back(static_cast<uint8_t>(octets.size()));
  out->insert(out->end(), octets.begin(), octets.end());
}

}  // namespace

namespace pap {

tl::expected<Request, AuthError> ParseRequest(Octets data) {
  Reader in(data);
  const Octets peer_id = in.Bytes(in.U8());
  const Octets password = in.Bytes(in.U8());
  if (!in.ok()) {
    return tl::unexpected(AuthError::kTruncated);
  }
  return Request{AsText(peer_id), AsText(password)};
}

std::vector<uint8_t> EmitRequest(const Request& request) {
  std::vector<uint8_t> data;
  // Room for all at once: a vector that grows would leave copies of the password behind.
  data.reserve(2 + request.peer_id.size() + request.password.size());
  AppendCounted(AsOctets(request.peer_id), &data);
  AppendCounted(AsOctets(request.password), &data);
  return data;
}

tl::expected<std::string_view, AuthError> ParseReply(Octets data) {
  Reader in(data);
  const Octets message = in.Bytes(in.U8());
  if (!in.ok()) {
    return tl::unexpected(AuthError::kTruncated);
  }
  return AsText(message);
}

std::vector<uint8_t> EmitReply(std::string_view message) {
  std::vector<uint8_t> data;
  AppendCounted(AsOctets(message), &data);
  return data;
}

}  // namespace pap

namespace chap {

tl::expected<Value, AuthError> ParseValue(Octets data) {
  Reader in(data);
  const uint8_t size = in.U8();
  const Octets value = in.Bytes(size);
  if (!in.ok()) {
    return tl::unexpected(AuthError::kTruncated);
  }
  if (size == 0) {
    return tl::unexpected(AuthError::kBadLength);
  }
  return Value{value, AsText(in.rest())};
}

std::vector<uint8_t> EmitValue(const Value& value) {
  std::vector<uint8_t> data;
  AppendCounted(value.value, &data);
  const Octets name = AsOctets(value.name);
  data.insert(data.end(), name.begin(), name.end());
  return data;
}

tl::expected<MsChapResponse, AuthError> ParseMsChapResponse(Octets value) {
  if (value.size() != kMsChapResponseLen) {
    return tl::unexpected(AuthError::kBadLength);
  }
  return MsChapResponse{value.subspan<0, 24>(), value.subspan<24, 24>(), value[48]};
}

tl::expected<MsChapV2Response, AuthError> ParseMsChapV2Response(Octets value) {
  if (value.size() != kMsChapResponseLen) {
    return tl::unexpected(AuthError::kBadLength);
  }
  // Octets 16-23 are reserved and must be zero (RFC 2759 s4); what they hold is ignored.
  return MsChapV2Response{value.subspan<0, 16>(), value.subspan<24, 24>(), value[48]};
}

tl::expected<ChangePassword, AuthError> ParseChangePassword(Octets data) {
  if (data.size() != kChangePasswordLen) {
    return tl::unexpected(AuthError::kBadLength);
  }
  // Octets 548-555 are reserved; what they hold is ignored.
  return ChangePassword{data.subspan<0, 516>(), data.subspan<516, 16>(), data.subspan<532, 16>(),
                        data.subspan<556, 24>(), LoadBe16(data.data() + 580)};
}

}  // namespace chap

}  // namespace culvert::wire
