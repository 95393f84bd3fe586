#include "controlplane/radius/dynamic/dynamic_settings.h"

#include <algorithm>
#include <string>
#include <utility>

#include "controlplane/aaa/secret_file.h"
#include "controlplane/radius/settings.h"
#include "proto/config/address/client_prefix.h"

namespace culvert::radius {

namespace {

std::span<const uint8_t> OctetsOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

absl::StatusOr<Secret> ReadSecret(const config::v1::DynamicClient& client) {
  if (client.secret_file().empty()) {
    return Secret(OctetsOf(client.secret()));
  }
  Secret contents;
  if (absl::Status status = ReadSecretFile(client.secret_file(), contents); !status.ok()) {
    return status;
  }
  std::span<const uint8_t> octets = contents.octets();
  if (!octets.empty() && octets.back() == '\n') {
    octets = octets.first(octets.size() - 1);
  }
  if (octets.empty()) {
    return absl::InvalidArgumentError(client.secret_file() +
                                      ": the file is empty: put the shared secret into it");
  }
  return Secret(octets);
}

}  // namespace

absl::StatusOr<DynamicServiceSettings> ReadDynamicSettings(const config::v1::Config& config) {
  const config::v1::RadiusDynamic& dynamic = config.radius().dynamic();
  DynamicServiceSettings settings;
  settings.listen.assign(dynamic.listen().begin(), dynamic.listen().end());
  settings.port = static_cast<uint16_t>(dynamic.port());
  for (const config::v1::DynamicClient& client : dynamic.clients()) {
    absl::StatusOr<Secret> secret = ReadSecret(client);
    if (!secret.ok()) {
      return secret.status();
    }
    settings.protocol.clients.push_back(
        {.from = *config::ParseClientPrefix(client.address()),
         .secret = std::move(*secret),
         .require_message_authenticator = client.require_message_authenticator(),
         .require_event_timestamp = client.require_event_timestamp()});
  }
  settings.protocol.nas = MakeNasIdentity(config);
  return settings;
}

}  // namespace culvert::radius
