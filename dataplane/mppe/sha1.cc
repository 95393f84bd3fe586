#include "dataplane/mppe/sha1.h"

#include <intel-ipsec-mb.h>

namespace culvert::dataplane::mppe {

std::unique_ptr<Sha1> Sha1::Create() {
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) {
    return nullptr;
  }
  init_mb_mgr_auto(manager, nullptr);
  if (imb_get_errno(manager) != 0) {
    free_mb_mgr(manager);
    return nullptr;
  }
  return std::unique_ptr<Sha1>(new Sha1(manager));
}

Sha1::~Sha1() { free_mb_mgr(manager_); }

std::array<uint8_t, 20> Sha1::Digest(std::span<const uint8_t> data) const {
  std::array<uint8_t, 20> digest{};
  IMB_SHA1(manager_, data.data(), data.size(), digest.data());
  return digest;
}

}  // namespace culvert::dataplane::mppe
