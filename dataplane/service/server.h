// Server: a gRPC server on a Unix socket that only its owner may use.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace culvert::dataplane {

class Server {
 public:
  // Listen serves `service`, health and reflection at `path`, mode 0600, and makes its folder. A
  // socket that nobody answers at is replaced; AlreadyExists when somebody does, or when there is
  // something else by that name. Call it while no other thread makes files.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(const std::string& path,
                                                        grpc::Service* service);
  // Cuts off what still runs, and removes the socket.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  explicit Server(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace culvert::dataplane
