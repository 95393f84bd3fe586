#include "dataplane/forwarding/fib.h"

#include <absl/strings/str_cat.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_rib.h>

#include <algorithm>

namespace culvert::dataplane {

absl::StatusOr<std::unique_ptr<Fib>> Fib::Create(uint32_t max_routes) {
  static std::atomic<unsigned> count{0};  // rte_fib wants a name of its own for each table
  rte_fib_conf config{};
  config.type = RTE_FIB_DIR24_8;
  config.default_nh = NextHop().value();
  config.max_routes = static_cast<int>(max_routes);
  config.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
  config.dir24_8.num_tbl8 = std::max<uint32_t>(1024, max_routes / 4);
  rte_fib* fib = rte_fib_create(absl::StrCat("culvert", ++count).c_str(), SOCKET_ID_ANY, &config);
  if (fib == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("forwarding table for ", max_routes,
                                                     " routes: ", rte_strerror(rte_errno),
                                                     "; give dataplane.memory_mb more"));
  }
  return std::unique_ptr<Fib>(new Fib(fib));
}

Fib::~Fib() { rte_fib_free(fib_); }

absl::Status Fib::Set(uint32_t prefix, uint8_t len, NextHop hop) {
  uint64_t old = 0;
  rte_rib_node* node = rte_rib_lookup_exact(rte_fib_get_rib(fib_), prefix, len);
  if (node != nullptr && rte_rib_get_nh(node, &old) == 0 && old == hop.value()) {
    return absl::OkStatus();
  }
  const int result = rte_fib_add(fib_, prefix, len, hop.value());
  NewEpoch();
  if (result != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("forwarding table: ", rte_strerror(-result), "; it is full"));
  }
  return absl::OkStatus();
}

void Fib::Erase(uint32_t prefix, uint8_t len) {
  if (rte_fib_delete(fib_, prefix, len) == 0) {
    NewEpoch();
  }
}

}  // namespace culvert::dataplane
