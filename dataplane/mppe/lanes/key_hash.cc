#include "dataplane/mppe/lanes/key_hash.h"

#include <intel-ipsec-mb.h>

#include <array>
#include <cstring>

#include "dataplane/mppe/lanes/lanes.h"
#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr size_t kPadLen = 40;
constexpr size_t kDigestLen = 20;

// ipsec-mb picks what suits the processor.
class IpsecMbKeyHash : public KeyHash {
 public:
  explicit IpsecMbKeyHash(IMB_MGR* manager) : manager_(manager) {}
  ~IpsecMbKeyHash() override {
    free_mb_mgr(manager_);
    Wipe(this->inputs_.data(), sizeof(inputs_));
    Wipe(this->digests_.data(), sizeof(digests_));
  }

  void Interim(const KeyChange* changes, unsigned num, Key* interim) override;

 private:
  // MakeInput gives its length.
  size_t MakeInput(const KeyChange& change, uint8_t* input);

  IMB_MGR* manager_;
  std::array<std::array<uint8_t, 2 * (sizeof(Key) + kPadLen)>, kLanes> inputs_;
  std::array<std::array<uint8_t, kDigestLen>, kLanes> digests_;
};

size_t IpsecMbKeyHash::MakeInput(const KeyChange& change, uint8_t* input) {
  const size_t len = KeyLen(change.bits);
  uint8_t* at = input;
  std::memcpy(at, change.start_key->data(), len);
  std::memset(at += len, 0, kPadLen);
  std::memcpy(at += kPadLen, change.key->data(), len);
  std::memset(at += len, 0xf2, kPadLen);
  return 2 * (len + kPadLen);
}

void IpsecMbKeyHash::Interim(const KeyChange* changes, unsigned num, Key* interim) {
  std::array<IMB_JOB*, kLanes> jobs;
  IMB_GET_NEXT_BURST(manager_, num, jobs.data());  // the queue is empty and holds more
  for (unsigned i = 0; i < num; ++i) {
    jobs[i]->cipher_mode = IMB_CIPHER_NULL;
    jobs[i]->cipher_direction = IMB_DIR_ENCRYPT;
    jobs[i]->chain_order = IMB_ORDER_HASH_CIPHER;
    jobs[i]->hash_alg = IMB_AUTH_SHA_1;
    jobs[i]->src = inputs_[i].data();
    jobs[i]->hash_start_src_offset_in_bytes = 0;
    jobs[i]->msg_len_to_hash_in_bytes = MakeInput(changes[i], inputs_[i].data());
    jobs[i]->auth_tag_output = digests_[i].data();
    jobs[i]->auth_tag_output_len_in_bytes = kDigestLen;
  }
  unsigned done = IMB_SUBMIT_BURST_NOCHECK(manager_, num, jobs.data());
  while (done < num) {
    done += IMB_FLUSH_BURST(manager_, num - done, jobs.data());
  }
  for (unsigned i = 0; i < num; ++i) {
    std::memcpy(interim[i].data(), digests_[i].data(), sizeof(Key));
  }
}

}  // namespace

std::unique_ptr<KeyHash> KeyHash::Create(bool fast) {
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) {
    return nullptr;
  }
  init_mb_mgr_auto(manager, nullptr);
  if (imb_get_errno(manager) != 0) {
    free_mb_mgr(manager);
    return nullptr;
  }
  if (fast && (manager->features & IMB_FEATURE_SHANI) != 0) {
    free_mb_mgr(manager);
    return CreateShaNi(__builtin_cpu_supports("avx512vl") != 0);
  }
  return std::make_unique<IpsecMbKeyHash>(manager);
}

}  // namespace culvert::dataplane::mppe
