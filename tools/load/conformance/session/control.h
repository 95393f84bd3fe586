// Control: the TCP side of a session, octet by octet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/wire/pptp.h"
#include "tools/load/conformance/target.h"

namespace culvert::load::conformance {

using wire::Octets;

class Control {
 public:
  Control() = default;
  ~Control() { Close(); }
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Connect waits for the handshake; an empty string when there is a connection, else why not.
  [[nodiscard]] std::string Connect(const Target& target);
  void Close();  // FIN
  void Reset();  // RST
  void HalfClose();

  void Send(Octets octets);
  void Send(const wire::pptp::Message& message) { Send(wire::pptp::Emit(message)); }
  // Read takes what is there and answers Echo-Requests while answer_echo is true.
  void Read();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] uint32_t local_address() const { return local_address_; }
  // closed: the server has closed or reset the connection.
  [[nodiscard]] bool closed() const { return closed_; }
  // problem: what is wrong with the server's octets; empty while nothing is.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::vector<wire::pptp::Message>& heard() const { return heard_; }
  [[nodiscard]] size_t num_octets() const { return num_octets_; }
  // Summary of what came since the connection began: "Echo-Reply, closed".
  [[nodiscard]] std::string Summary(size_t from = 0) const;

  bool answer_echo = true;
  size_t mark = 0;  // into heard(): what was before it has been looked at

 private:
  int fd_ = -1;
  uint32_t local_address_ = 0;
  bool closed_ = false;
  std::string problem_;
  wire::pptp::StreamParser parser_;
  std::vector<wire::pptp::Message> heard_;
  size_t num_octets_ = 0;
};

}  // namespace culvert::load::conformance
