#include "controlplane/accounting/record.h"

#include <algorithm>

namespace culvert::accounting {

namespace {

v1::Record Make(v1::Kind kind, uint32_t time_s) {
  v1::Record record;
  record.set_kind(kind);
  record.set_time_s(time_s);
  return record;
}

void SetTraffic(uint32_t session_time_s, const Traffic& from, v1::Record* record) {
  record->set_session_time_s(session_time_s);
  v1::Traffic* to = record->mutable_traffic();
  to->set_input_octets(from.input_octets);
  to->set_input_packets(from.input_packets);
  to->set_output_octets(from.output_octets);
  to->set_output_packets(from.output_packets);
}

}  // namespace

Traffic Later(const Traffic& a, const Traffic& b) {
  return {.input_octets = std::max(a.input_octets, b.input_octets),
          .input_packets = std::max(a.input_packets, b.input_packets),
          .output_octets = std::max(a.output_octets, b.output_octets),
          .output_packets = std::max(a.output_packets, b.output_packets)};
}

std::string SerialiseRecord(const v1::Record& without_session, std::string_view session) {
  std::string octets = without_session.SerializeAsString();
  // The session is kept serialised. A field of a message may stand anywhere in it: here, last.
  constexpr char kLengthDelimited = 2;
  octets.push_back(static_cast<char>(v1::Record::kSessionFieldNumber << 3) | kLengthDelimited);
  for (size_t left = session.size();; left >>= 7) {
    if (left < 0x80) {
      octets.push_back(static_cast<char>(left));
      break;
    }
    octets.push_back(static_cast<char>((left & 0x7f) | 0x80));
  }
  return octets.append(session);
}

std::string StartRecord(std::string_view session, uint32_t time_s) {
  return SerialiseRecord(Make(v1::KIND_START, time_s), session);
}

std::string InterimRecord(std::string_view session, uint32_t time_s, uint32_t session_time_s,
                          const Traffic& traffic) {
  v1::Record record = Make(v1::KIND_INTERIM, time_s);
  SetTraffic(session_time_s, traffic, &record);
  return SerialiseRecord(record, session);
}

std::string StopRecord(std::string_view session, uint32_t time_s, uint32_t session_time_s,
                       const Traffic& traffic, TerminateCause cause) {
  v1::Record record = Make(v1::KIND_STOP, time_s);
  SetTraffic(session_time_s, traffic, &record);
  record.set_terminate_cause(static_cast<uint32_t>(cause));
  return SerialiseRecord(record, session);
}

std::string NasRecord(v1::Kind kind, std::string_view id, uint32_t time_s) {
  v1::Record record = Make(kind, time_s);
  record.mutable_session()->set_id(std::string(id));
  if (kind == v1::KIND_OFF) {
    record.set_terminate_cause(static_cast<uint32_t>(TerminateCause::kAdminReboot));
  }
  return record.SerializeAsString();
}

const char* KindName(v1::Kind kind) {
  switch (kind) {
    case v1::KIND_START:
      return "start";
    case v1::KIND_INTERIM:
      return "interim";
    case v1::KIND_STOP:
      return "stop";
    case v1::KIND_ON:
      return "on";
    case v1::KIND_OFF:
      return "off";
    default:
      return "other";
  }
}

}  // namespace culvert::accounting
