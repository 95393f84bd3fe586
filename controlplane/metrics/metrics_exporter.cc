#include "controlplane/metrics/metrics_exporter.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "controlplane/metrics/readings.h"
#include "controlplane/metrics/sources.h"
#include "proto/config/address/address.h"

namespace culvert {
namespace {

constexpr size_t kThreads = 2;

// TryBind says why one cannot listen there (the HTTP library does not): 0 or an errno.
int TryBind(const config::Endpoint& endpoint) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(endpoint.address);
  address.sin_port = htons(endpoint.port);
  int error = 0;
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(descriptor, 1) != 0) {
    error = errno;
  }
  close(descriptor);
  return error;
}

absl::Status Failed(const std::string& endpoint, const std::string& why) {
  return absl::UnavailableError(fmt::format(
      "metrics.listen {}: cannot listen there ({}): stop what uses it, set another metrics.listen, "
      "or \"\" for none",
      endpoint, why));
}

}  // namespace

MetricsExporter::MetricsExporter(std::unique_ptr<prometheus::Exposer> exposer)
    : exposer_(std::move(exposer)) {}
MetricsExporter::~MetricsExporter() = default;

void MetricsExporter::Add(const std::weak_ptr<prometheus::Collectable>& more) {
  exposer_->RegisterCollectable(more);
}

absl::StatusOr<std::unique_ptr<MetricsExporter>> MetricsExporter::Start(const std::string& endpoint,
                                                                        const Metrics& metrics) {
  const auto parsed = config::ParseEndpoint(endpoint);
  if (!parsed) {
    return absl::InvalidArgumentError(
        fmt::format("metrics.listen {}: is not an address and port", endpoint));
  }
  if (const int error = TryBind(*parsed); error != 0) return Failed(endpoint, std::strerror(error));
  // The library reports by exception; none leaves this function.
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(endpoint, kThreads);
    exposer->RegisterCollectable(metrics.registry_);
    exposer->RegisterCollectable(metrics.readings_);
    exposer->RegisterCollectable(metrics.sources_);
    return std::unique_ptr<MetricsExporter>(new MetricsExporter(std::move(exposer)));
  } catch (const std::exception& error) {
    return Failed(endpoint, error.what());
  }
}

}  // namespace culvert
