// EAP for local users, from the configuration.
#include "controlplane/settings.h"

namespace culvert {

eap::Settings MakeEapSettings(const config::v1::Config& config) {
  eap::Settings settings;
  const bool required = config.ppp().mppe() == "require";
  for (const std::string& name : config.auth().eap_methods()) {
    if (name == "mschapv2") {
      settings.methods.push_back(eap::Method::kMsChapV2);
    } else if (!required) {  // EAP-MD5 gives no keys
      settings.methods.push_back(eap::Method::kMd5);
    }
  }
  settings.server_name = config.auth().server_name();
  settings.retries = config.auth().retries();
  // A name that is none of ours is for the backends after us to judge.
  const auto& backends = config.auth().backends();
  settings.answers_strangers = backends.empty() || *backends.rbegin() == "local";
  return settings;
}

LocalUserSettings MakeLocalUserSettings(const config::v1::Config& config) {
  return {.eap = MakeEapSettings(config),
          .may_change_password = config.auth().password_change() == "allow"};
}

}  // namespace culvert
