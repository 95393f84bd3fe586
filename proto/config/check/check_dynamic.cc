#include <fmt/format.h>

#include "proto/config/check/check.h"
#include "proto/config/address/client_prefix.h"
#include "proto/config/repeats.h"

namespace culvert::config {
namespace {

void CheckClient(const v1::DynamicClient& client, const std::string& key, const SourceMap& places,
                 std::vector<Problem>* problems) {
  if (places.Usable(key + ".address") && !client.address().empty() &&
      !ParseClientPrefix(client.address())) {
    problems->push_back(places.At({key + ".address"},
                                  fmt::format("\"{}\" is neither an address such as 192.0.2.1 or "
                                              "2001:db8::1 nor a prefix such as 192.0.2.0/24",
                                              client.address())));
  }
  if (places.Usable(key + ".secret") && places.Usable(key + ".secret_file") &&
      client.secret().empty() == client.secret_file().empty()) {
    problems->push_back(places.At({key + ".secret", key + ".secret_file", key},
                                  client.secret().empty()
                                      ? "no secret: set secret_file or secret"
                                      : "two secrets: take secret or secret_file away"));
  }
}

}  // namespace

void CheckDynamic(const v1::Config& config, const SourceMap& places,
                  std::vector<Problem>* problems) {
  const v1::RadiusDynamic& dynamic = config.radius().dynamic();
  std::vector<Keyed<std::string>> addresses;
  for (int i = 0; i < dynamic.clients_size(); ++i) {
    const std::string key = fmt::format("radius.dynamic.clients[{}]", i);
    addresses.push_back({key + ".address", dynamic.clients(i).address()});
    CheckClient(dynamic.clients(i), key, places, problems);
  }
  CheckRepeats(addresses, places, problems);
  std::vector<Keyed<std::string>> listen;
  for (int i = 0; i < dynamic.listen_size(); ++i) {
    listen.push_back({fmt::format("radius.dynamic.listen[{}]", i), dynamic.listen(i)});
  }
  CheckRepeats(listen, places, problems);
  if (!dynamic.listen().empty() && dynamic.clients().empty() &&
      places.Usable("radius.dynamic.listen") && places.Usable("radius.dynamic.clients")) {
    problems->push_back(
        places.At({"radius.dynamic.listen"}, "nobody may ask: name [[radius.dynamic.clients]]"));
  }
}

}  // namespace culvert::config
