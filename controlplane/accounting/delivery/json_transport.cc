#include "controlplane/accounting/delivery/json_transport.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "controlplane/accounting/record.h"
#include "proto/config/address/address.h"

namespace culvert::accounting {

namespace {

// Quoted: octets are no text of a known encoding, and strings of JSON are Unicode. What is not
// printable ASCII is written as the character of the same number.
std::string Quoted(std::string_view octets) {
  std::string quoted = "\"";
  for (const char c : octets) {
    if (c == '"' || c == '\\') {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (c >= ' ' && c <= '~') {
      quoted.push_back(c);
    } else {
      absl::StrAppendFormat(&quoted, "\\u%04x", static_cast<uint8_t>(c));
    }
  }
  return quoted + "\"";
}

const char* MethodName(v1::Method method) {
  switch (method) {
    case v1::METHOD_PAP:
      return "pap";
    case v1::METHOD_CHAP:
      return "chap-md5";
    case v1::METHOD_MS_CHAP_1:
      return "mschap";
    case v1::METHOD_MS_CHAP_2:
      return "mschap-v2";
    case v1::METHOD_EAP:
      return "eap";
    default:
      return "none";
  }
}

void AppendCall(const v1::Session& session, std::string* line) {
  absl::StrAppend(line, ",\"user\":", Quoted(session.user()), ",\"peer\":\"",
                  config::FormatIpv4(session.peer_address()), "\",\"local\":\"",
                  config::FormatIpv4(session.local_address()), "\",\"address\":\"",
                  config::FormatIpv4(session.client_address()),
                  "\",\"nas_port\":", session.nas_port(), ",\"call_id\":", session.call_id(),
                  ",\"method\":\"", MethodName(session.method()), "\",\"authentic\":\"",
                  session.authentic() == v1::AUTHENTIC_RADIUS ? "radius" : "local",
                  "\",\"started\":", session.started_s());
  if (!session.called_number().empty()) {
    absl::StrAppend(line, ",\"called\":", Quoted(session.called_number()));
  }
  if (!session.calling_number().empty()) {
    absl::StrAppend(line, ",\"calling\":", Quoted(session.calling_number()));
  }
  if (session.classes_size() != 0) {
    absl::StrAppend(line, ",\"classes\":[");
    for (int i = 0; i < session.classes_size(); ++i) {
      absl::StrAppend(line, i == 0 ? "" : ",", "\"", absl::BytesToHexString(session.classes(i)),
                      "\"");
    }
    line->push_back(']');
  }
}

}  // namespace

std::string JsonLine(const v1::Record& record) {
  std::string line =
      absl::StrCat("{\"kind\":\"", KindName(record.kind()), "\",\"time\":", record.time_s(),
                   ",\"session\":", Quoted(record.session().id()));
  const bool is_call = record.kind() != v1::KIND_ON && record.kind() != v1::KIND_OFF;
  if (is_call) {
    AppendCall(record.session(), &line);
  }
  if (is_call && record.kind() != v1::KIND_START) {
    const v1::Traffic& traffic = record.traffic();
    absl::StrAppend(&line, ",\"session_time\":", record.session_time_s(),
                    ",\"input_octets\":", traffic.input_octets(),
                    ",\"input_packets\":", traffic.input_packets(),
                    ",\"output_octets\":", traffic.output_octets(),
                    ",\"output_packets\":", traffic.output_packets());
  }
  if (record.terminate_cause() != 0) {
    absl::StrAppend(&line, ",\"terminate_cause\":", record.terminate_cause());
  }
  return line + "}";
}

absl::StatusOr<std::unique_ptr<JsonTransport>> JsonTransport::Open(const std::string& path) {
  std::unique_ptr<JsonTransport> transport(new JsonTransport(path));
  if (!transport->Reopen()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("accounting.file ", path));
  }
  return transport;
}

JsonTransport::~JsonTransport() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

bool JsonTransport::Reopen() {
  struct stat by_name {
  }, by_descriptor{};
  if (fd_ >= 0 && stat(path_.c_str(), &by_name) == 0 && fstat(fd_, &by_descriptor) == 0 &&
      by_name.st_ino == by_descriptor.st_ino && by_name.st_dev == by_descriptor.st_dev) {
    return true;
  }
  if (fd_ >= 0) {
    close(fd_);
  }
  // Users' names and addresses are nobody else's business.
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  return fd_ >= 0;
}

bool JsonTransport::Write(const std::string& line) {
  const auto size = static_cast<ssize_t>(line.size());
  if (!Reopen()) {
    return false;
  }
  const off_t before = lseek(fd_, 0, SEEK_END);
  const ssize_t written = write(fd_, line.data(), line.size());
  if (written > 0 && written < size && ftruncate(fd_, before) != 0) {
    spdlog::error("accounting.file {}: a line is cut short", path_);
  }
  return written == size;
}

void JsonTransport::Send(const v1::Record& record, uint32_t,
                         std::function<void(bool acknowledged)> done) {
  const bool written = Write(JsonLine(record) + "\n");
  if (!written && log_limit_.Admit()) {
    spdlog::error("accounting.file {} cannot be written: {}", path_, std::strerror(errno));
  }
  done(written);
}

}  // namespace culvert::accounting
