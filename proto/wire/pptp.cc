#include "proto/wire/pptp.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proto/wire/byte_order.h"

namespace culvert::wire::pptp {
namespace {

constexpr uint16_t kControlMessage = 1;

// Message lengths by control message type, header included (s2.1 to s2.15).
constexpr std::array<uint16_t, 16> kLengths = {0,  156, 156, 16, 16, 16,  20, 168,
                                               32, 220, 24,  28, 16, 148, 40, 24};

// FieldReader and FieldWriter have the same members, so that one Layout() below is both the
// parser and the emitter of a message.
class FieldReader {
 public:
  explicit FieldReader(Reader* in) : in_(in) {}
  void operator()(uint8_t& v) { v = in_->U8(); }
  void operator()(uint16_t& v) { v = in_->U16(); }
  void operator()(uint32_t& v) { v = in_->U32(); }
  template <size_t kLen>
  void operator()(std::array<uint8_t, kLen>& v) {
    in_->CopyTo(v);
  }
  void Reserved(size_t len) { in_->Skip(len); }

 private:
  Reader* in_;
};

class FieldWriter {
 public:
  explicit FieldWriter(Writer* out) : out_(out) {}
  void operator()(uint8_t v) { out_->U8(v); }
  void operator()(uint16_t v) { out_->U16(v); }
  void operator()(uint32_t v) { out_->U32(v); }
  template <size_t kLen>
  void operator()(const std::array<uint8_t, kLen>& v) {
    out_->Bytes(v);
  }
  void Reserved(size_t len) { out_->Zeros(len); }

 private:
  Writer* out_;
};

template <typename Io>
void Layout(Io io, StartRequest& m) {
  io(m.version);
  io.Reserved(2);
  io(m.framing_capabilities);
  io(m.bearer_capabilities);
  io(m.max_channels);
  io(m.firmware_revision);
  io(m.host_name);
  io(m.vendor);
}

template <typename Io>
void Layout(Io io, StartReply& m) {
  io(m.version);
  io(m.result);
  io(m.error);
  io(m.framing_capabilities);
  io(m.bearer_capabilities);
  io(m.max_channels);
  io(m.firmware_revision);
  io(m.host_name);
  io(m.vendor);
}

template <typename Io>
void Layout(Io io, StopRequest& m) {
  io(m.reason);
  io.Reserved(3);
}

template <typename Io>
void Layout(Io io, StopReply& m) {
  io(m.result);
  io(m.error);
  io.Reserved(2);
}

template <typename Io>
void Layout(Io io, EchoRequest& m) {
  io(m.identifier);
}

template <typename Io>
void Layout(Io io, EchoReply& m) {
  io(m.identifier);
  io(m.result);
  io(m.error);
  io.Reserved(2);
}

template <typename Io>
void Layout(Io io, OutgoingCallRequest& m) {
  io(m.call_id);
  io(m.serial_number);
  io(m.minimum_bps);
  io(m.maximum_bps);
  io(m.bearer_type);
  io(m.framing_type);
  io(m.receive_window);
  io(m.processing_delay);
  io(m.phone_number_len);
  io.Reserved(2);
  io(m.phone_number);
  io(m.subaddress);
}

template <typename Io>
void Layout(Io io, OutgoingCallReply& m) {
  io(m.call_id);
  io(m.peer_call_id);
  io(m.result);
  io(m.error);
  io(m.cause);
  io(m.connect_speed_bps);
  io(m.receive_window);
  io(m.processing_delay);
  io(m.physical_channel_id);
}

template <typename Io>
void Layout(Io io, IncomingCallRequest& m) {
  io(m.call_id);
  io(m.serial_number);
  io(m.bearer_type);
  io(m.physical_channel_id);
  io(m.dialed_number_len);
  io(m.dialing_number_len);
  io(m.dialed_number);
  io(m.dialing_number);
  io(m.subaddress);
}

template <typename Io>
void Layout(Io io, IncomingCallReply& m) {
  io(m.call_id);
  io(m.peer_call_id);
  io(m.result);
  io(m.error);
  io(m.receive_window);
  io(m.transmit_delay);
  io.Reserved(2);
}

template <typename Io>
void Layout(Io io, IncomingCallConnected& m) {
  io(m.peer_call_id);
  io.Reserved(2);
  io(m.connect_speed_bps);
  io(m.receive_window);
  io(m.transmit_delay);
  io(m.framing_type);
}

template <typename Io>
void Layout(Io io, CallClearRequest& m) {
  io(m.call_id);
  io.Reserved(2);
}

template <typename Io>
void Layout(Io io, CallDisconnectNotify& m) {
  io(m.call_id);
  io(m.result);
  io(m.error);
  io(m.cause);
  io.Reserved(2);
  io(m.statistics);
}

template <typename Io>
void Layout(Io io, WanErrorNotify& m) {
  io(m.peer_call_id);
  io.Reserved(2);
  io(m.crc_errors);
  io(m.framing_errors);
  io(m.hardware_overruns);
  io(m.buffer_overruns);
  io(m.timeout_errors);
  io(m.alignment_errors);
}

template <typename Io>
void Layout(Io io, SetLinkInfo& m) {
  io(m.peer_call_id);
  io.Reserved(2);
  io(m.send_accm);
  io(m.receive_accm);
}

template <typename M>
Message ParseBody(Octets body) {
  Reader in(body);
  M message;
  Layout(FieldReader(&in), message);
  return message;
}

// The parsers in the order of the types, which is the order of the variant.
template <size_t... kIndex>
Message ParseBodyOf(size_t index, Octets body, std::index_sequence<kIndex...>) {
  using Parser = Message (*)(Octets);
  static constexpr Parser kParsers[] = {&ParseBody<std::variant_alternative_t<kIndex, Message>>...};
  return kParsers[index](body);
}

// FindFault gives what is wrong with the message at the front of `in`, kIncomplete included;
// nullopt when it is whole and its header is right. Each check runs once its octets are there,
// and in this order, so that the verdict does not depend on how TCP cut the stream.
std::optional<Error> FindFault(Octets in) {
  if (in.size() < 2) {
    return Error::kIncomplete;
  }
  const uint16_t length = LoadBe16(&in[0]);
  if (length < kHeaderLen || length > kMaxMessageLen) {
    return Error::kBadLength;
  }
  if (in.size() < 8) {
    return Error::kIncomplete;
  }
  if (LoadBe32(&in[4]) != kMagicCookie) {
    return Error::kBadCookie;
  }
  if (LoadBe16(&in[2]) != kControlMessage) {
    return Error::kBadMessageType;
  }
  if (in.size() < kHeaderLen) {
    return Error::kIncomplete;
  }
  const uint16_t type = LoadBe16(&in[8]);
  const bool known = type != 0 && type < kLengths.size();
  if (known && length != kLengths[type]) {
    return Error::kBadLength;
  }
  if (in.size() < length) {
    return Error::kIncomplete;
  }
  if (!known) {
    return Error::kUnknownType;
  }
  return std::nullopt;
}

}  // namespace

Name ToName(std::string_view text) {
  Name name{};
  std::copy_n(text.begin(), std::min(text.size(), name.size()), name.begin());
  return name;
}

std::string_view FromName(const Name& name) {
  const auto end = std::find(name.begin(), name.end(), 0);
  return {reinterpret_cast<const char*>(name.data()), static_cast<size_t>(end - name.begin())};
}

std::string_view ToString(Error error) {
  switch (error) {
    case Error::kIncomplete:
      return "incomplete message";
    case Error::kBadLength:
      return "bad length";
    case Error::kBadCookie:
      return "bad magic cookie";
    case Error::kBadMessageType:
      return "bad message type";
    case Error::kUnknownType:
      return "unknown control message type";
  }
  return "unknown error";
}

std::string_view ToString(MessageType type) {
  static constexpr std::string_view kNames[] = {
      "Start-Control-Connection-Request",
      "Start-Control-Connection-Reply",
      "Stop-Control-Connection-Request",
      "Stop-Control-Connection-Reply",
      "Echo-Request",
      "Echo-Reply",
      "Outgoing-Call-Request",
      "Outgoing-Call-Reply",
      "Incoming-Call-Request",
      "Incoming-Call-Reply",
      "Incoming-Call-Connected",
      "Call-Clear-Request",
      "Call-Disconnect-Notify",
      "WAN-Error-Notify",
      "Set-Link-Info",
  };
  const auto number = static_cast<size_t>(type);
  return number - 1 < std::size(kNames) ? kNames[number - 1] : "unknown message";
}

MessageType TypeOf(const Message& message) { return static_cast<MessageType>(message.index() + 1); }

tl::expected<Message, Error> Parse(Octets in) {
  if (const std::optional<Error> fault = FindFault(in)) {
    return tl::unexpected(*fault);
  }
  const size_t index = LoadBe16(&in[8]) - 1u;
  return ParseBodyOf(index, in.first(LoadBe16(&in[0])).subspan(kHeaderLen),
                     std::make_index_sequence<std::variant_size_v<Message>>());
}

std::vector<uint8_t> Emit(const Message& message) {
  const auto type = static_cast<uint16_t>(TypeOf(message));
  std::vector<uint8_t> octets(kLengths[type]);
  Writer out(octets);
  out.U16(kLengths[type]);
  out.U16(kControlMessage);
  out.U32(kMagicCookie);
  out.U16(type);
  out.U16(0);
  std::visit([&out](auto m) { Layout(FieldWriter(&out), m); }, message);
  return octets;
}

tl::expected<Message, Error> StreamParser::Next(Octets& in) {
  if (failed_) {
    return tl::unexpected(error_);
  }
  while (true) {
    tl::expected<Message, Error> parsed = Parse(Octets(buffer_).first(size_));
    if (parsed.has_value() || parsed.error() == Error::kUnknownType) {
      size_ = 0;
      return parsed;
    }
    if (parsed.error() != Error::kIncomplete) {
      failed_ = true;
      error_ = parsed.error();
      return parsed;
    }
    const size_t target = size_ < kHeaderLen ? kHeaderLen : LoadBe16(buffer_.data());
    const size_t len = std::min(target - size_, in.size());
    if (len == 0) {
      return parsed;
    }
    std::copy_n(in.begin(), len, buffer_.begin() + static_cast<ptrdiff_t>(size_));
    size_ += len;
    in = in.subspan(len);
  }
}

}  // namespace culvert::wire::pptp
