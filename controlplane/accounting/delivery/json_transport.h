// JsonTransport writes each record as a line of JSON to a file, for use without a server.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "controlplane/accounting/delivery/transport.h"
#include "controlplane/logging/log_limit.h"

namespace culvert::accounting {

// JsonLine is `record` as one line, without its end. Octets of names that are no printable ASCII
// become \u00XX; Class is hexadecimal.
[[nodiscard]] std::string JsonLine(const v1::Record& record);

class JsonTransport final : public Transport {
 public:
  // Open appends to `path`. Errors name it.
  static absl::StatusOr<std::unique_ptr<JsonTransport>> Open(const std::string& path);
  ~JsonTransport() override;

  // Send: a record is acknowledged when the kernel has all of its line. The file is opened by its
  // name again when it has been renamed, so that log rotation works.
  void Send(const v1::Record& record, uint32_t delay_s,
            std::function<void(bool acknowledged)> done) override;

 private:
  explicit JsonTransport(std::string path) : path_(std::move(path)) {}
  bool Reopen();
  bool Write(const std::string& line);

  const std::string path_;
  int fd_ = -1;
  LogLimit log_limit_{std::chrono::seconds(10)};
};

}  // namespace culvert::accounting
