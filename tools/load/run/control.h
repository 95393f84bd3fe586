// Control: the Unix socket over which a run is looked at and changed while it goes on. A line of
// JSON each way; the formats are ControlRequest and ControlReply of load.proto. One thread.
#pragma once

#include <functional>
#include <list>
#include <string>

#include "load.pb.h"

namespace culvert::load {

class Control {
 public:
  using Handler = std::function<v1::ControlReply(const v1::ControlRequest&)>;

  explicit Control(Handler handler) : handler_(std::move(handler)) {}
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Open gives what is wrong, or an empty string. A socket that nobody listens on is replaced, any
  // other file is not.
  std::string Open(const std::string& path);
  // Serve answers what has come; it never waits.
  void Serve();

 private:
  static constexpr size_t kMaxClients = 16, kMaxLine = 4096;

  struct Client {
    int fd = -1;
    std::string line;
  };

  // ServeClient: false: it is gone.
  bool ServeClient(Client& client);
  bool Answer(const Client& client, const std::string& line);

  const Handler handler_;
  std::string path_;
  int fd_ = -1;
  std::list<Client> clients_;
};

}  // namespace culvert::load
