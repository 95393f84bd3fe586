// What the engine is compared with. OpenSSL 3 calls these functions deprecated, but they are the
// shortest way into its RC4: the provider interface costs more.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rc4.h>
#include <openssl/sha.h>

#include <cstring>

#include "tools/bench_mppe/subject.h"

namespace culvert::bench {
namespace {

using dataplane::mppe::Key;
using dataplane::mppe::KeyLen;

class OpensslRc4 {
 public:
  void SetKey(const uint8_t* key, size_t len) { RC4_set_key(&key_, static_cast<int>(len), key); }
  void Crypt(uint8_t* text, size_t len) { RC4(&key_, len, text, text); }

 private:
  RC4_KEY key_;
};

class PlainCRc4 {
 public:
  __attribute__((noinline)) void SetKey(const uint8_t* key, size_t len) {
    for (uint32_t i = 0; i < 256; ++i) {
      s_[i] = i;
    }
    uint32_t j = 0;
    size_t k = 0;
    for (uint32_t& s : s_) {
      const uint32_t a = s;
      j = (j + key[k] + a) & 0xff;
      s = s_[j];
      s_[j] = a;
      if (++k >= len) {
        k = 0;
      }
    }
    x_ = 1;
    y_ = 0;
  }

  // The next step's a and b are loaded before the stores of this one where they may be.
  __attribute__((noinline)) void Crypt(uint8_t* text, size_t len) {
    if (len == 0) {
      return;
    }
    uint32_t x = x_;
    uint32_t y = y_;
    uint32_t a = s_[x];
    y = (y + a) & 0xff;
    uint32_t b = s_[y];
    do {
      s_[y] = a;
      a = (a + b) & 0xff;
      s_[x] = b;
      x = (x + 1) & 0xff;
      const uint32_t next_a = s_[x];
      const uint32_t next_y = (y + next_a) & 0xff;
      const uint32_t next_b = s_[next_y];
      *text++ ^= static_cast<uint8_t>(s_[a]);
      y = next_y;
      a = next_a;
      b = next_b;
    } while (--len > 0);
    x_ = x;
    y_ = (y - a) & 0xff;
  }

 private:
  uint32_t s_[256];
  uint32_t x_;
  uint32_t y_;
};

// ChangeKey: RFC 3079 s3.4.
template <typename Rc4>
void ChangeKey(const Key& start, uint16_t bits, Key* key) {
  const size_t len = KeyLen(bits);
  uint8_t input[112];
  uint8_t* at = input;
  std::memcpy(at, start.data(), len);
  std::memset(at += len, 0, 40);
  std::memcpy(at += 40, key->data(), len);
  std::memset(at += len, 0xf2, 40);
  uint8_t digest[SHA_DIGEST_LENGTH];
  // SHA1() would look up an implementation each time.
  SHA_CTX sha1;
  SHA1_Init(&sha1);
  SHA1_Update(&sha1, input, 2 * (len + 40));
  SHA1_Final(digest, &sha1);
  std::memcpy(key->data(), digest, len);
  Rc4 rc4;
  rc4.SetKey(digest, len);
  rc4.Crypt(key->data(), len);
  if (bits != 128) {
    constexpr uint8_t kFixed[] = {0xd1, 0x26, 0x9e};
    std::memcpy(key->data(), kFixed, bits == 40 ? 3 : 1);
  }
}

template <typename Rc4>
class Stateless : public Subject {
 public:
  explicit Stateless(const Workload& workload) : Subject(workload), keys_(workload.start_keys) {}

  void Run() override {
    const uint16_t bits = workload_.spec.bits;
    for (const Burst& burst : workload_.bursts) {
      for (const Packet& packet : burst) {
        Key& key = keys_[packet.call];
        ChangeKey<Rc4>(workload_.start_keys[packet.call], bits, &key);
        Rc4 rc4;
        rc4.SetKey(key.data(), KeyLen(bits));
        rc4.Crypt(texts_.data() + packet.offset, packet.len);
      }
    }
  }

 private:
  std::vector<Key> keys_;
};

template <typename Rc4>
class Stateful : public Subject {
 public:
  explicit Stateful(const Workload& workload)
      : Subject(workload), streams_(workload.start_keys.size()) {
    for (size_t i = 0; i < streams_.size(); ++i) {
      streams_[i].SetKey(workload.start_keys[i].data(), KeyLen(workload.spec.bits));
    }
  }

  void Run() override {
    for (const Burst& burst : workload_.bursts) {
      for (const Packet& packet : burst) {
        streams_[packet.call].Crypt(texts_.data() + packet.offset, packet.len);
      }
    }
  }

 private:
  std::vector<Rc4> streams_;
};

template <typename Rc4>
std::unique_ptr<Subject> Make(const Workload& workload) {
  if (workload.spec.stateful) {
    return std::make_unique<Stateful<Rc4>>(workload);
  }
  return std::make_unique<Stateless<Rc4>>(workload);
}

}  // namespace

std::unique_ptr<Subject> MakeOpenssl(const Workload& workload) {
  return Make<OpensslRc4>(workload);
}

std::unique_ptr<Subject> MakePlainC(const Workload& workload) { return Make<PlainCRc4>(workload); }

}  // namespace culvert::bench
