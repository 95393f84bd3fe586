#include "dataplane/forwarding/fib6.h"

#include <absl/strings/str_cat.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_rib6.h>

#include <algorithm>

namespace culvert::dataplane {

Fib6::~Fib6() { rte_fib6_free(fib_); }

absl::Status Fib6::Make() {
  static std::atomic<unsigned> count{0};  // rte_fib6 wants a name of its own for each table
  rte_fib6_conf config{};
  config.type = RTE_FIB6_TRIE;
  config.default_nh = NextHop().value();
  config.max_routes = static_cast<int>(max_routes_);
  config.trie.nh_sz = RTE_FIB6_TRIE_4B;
  config.trie.num_tbl8 = std::max<uint32_t>(1024, max_routes_);
  rte_fib6* fib =
      rte_fib6_create(absl::StrCat("culvert6_", ++count).c_str(), SOCKET_ID_ANY, &config);
  if (fib == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("IPv6 forwarding table for ", max_routes_,
                                                     " routes: ", rte_strerror(rte_errno),
                                                     "; give dataplane.memory_mb more"));
  }
  fib_.store(fib, std::memory_order_release);
  return absl::OkStatus();
}

absl::Status Fib6::Set(Ipv6Number prefix, uint8_t len, NextHop hop) {
  if (fib_ == nullptr) {
    if (absl::Status status = Make(); !status.ok()) {
      return status;
    }
  }
  const int result = rte_fib6_add(fib_, ToOctets(prefix).data(), len, hop.value());
  if (result != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("IPv6 forwarding table: ", rte_strerror(-result), "; it is full"));
  }
  return absl::OkStatus();
}

void Fib6::Erase(Ipv6Number prefix, uint8_t len) {
  if (fib_ != nullptr) {
    rte_fib6_delete(fib_, ToOctets(prefix).data(), len);
  }
}

}  // namespace culvert::dataplane
