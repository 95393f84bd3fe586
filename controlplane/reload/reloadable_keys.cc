#include "controlplane/reload/reloadable_keys.h"

namespace culvert {

namespace {

// Those of pptp and ppp hold for the connections and calls that begin from then on.
constexpr std::string_view kKeys[] = {
    "log.level",
    "pptp.host_name",
    "pptp.vendor",
    "pptp.start_timeout_s",
    "pptp.echo_interval_s",
    "pptp.echo_timeout_s",
    "pptp.stop_timeout_s",
    "pptp.idle_timeout_s",
    "pptp.call_timeout_s",
    "pptp.lcp_delay_ms",
    "pptp.incoming_calls",
    "pptp.receive_window",
    "pptp.max_calls_per_connection",
    "pptp.ack_delay_ms",
    "pptp.reorder_packets",
    "pptp.reorder_delay_ms",
    "pptp.honour_peer_window",
    "pptp.dont_fragment",
    "pptp.copy_dscp",
    "pptp.dscp",
    "pptp.rates",
    "pptp.pools",
    "pptp.sources.allowed",
    "pptp.sources.max_connections",
    "pptp.sources.max_half_open",
    "pptp.sources.calls_per_second",
    "pptp.sources.call_burst",
    "ppp.mru",
    "ppp.mtu",
    "ppp.restart_timer_ms",
    "ppp.max_configure",
    "ppp.max_terminate",
    "ppp.max_failure",
    "ppp.echo_interval_s",
    "ppp.echo_failures",
    "ppp.setup_timeout_s",
    "ppp.dns",
    "ppp.wins",
    "ppp.mppe",
    "ppp.mppe_bits",
    "ppp.mppe_stateful",
    "ppp.idle_timeout_s",
    "ppp.octet_quota_mb",
    "auth.methods",
    "auth.eap_methods",
    "auth.retries",
    "auth.lock_out",
    "auth.password_change",
    "pools",
    "ipv6.pools",
    "ipv6.pool",
    "ipv6.delegated_pool",
    "ipv6.prefix_rest_s",
    "ipv6.addressing",
    "ipv6.dns",
    "ipv6.advertisement_interval_s",
    "ipv6.preferred_lifetime_s",
    "ipv6.valid_lifetime_s",
    "policy.address_rest_s",
    "policy.sessions_per_user",
    "policy.excess_sessions",
    "policy.filter",
    "filters",
    "hooks",
};

}  // namespace

std::span<const std::string_view> ReloadableKeys() { return kKeys; }

}  // namespace culvert
