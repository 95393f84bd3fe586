// The engine bit for bit against OpenSSL, for both kinds of processor.
#include "dataplane/mppe/engine.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <algorithm>
#include <random>
#include <vector>

namespace culvert::dataplane::mppe {
namespace {

using Bytes = std::vector<uint8_t>;

// Openssl is the reference: one packet after the other as the RFCs word it.
class Openssl {
 public:
  Openssl()
      : legacy_(OSSL_PROVIDER_load(nullptr, "legacy")),
        default_(OSSL_PROVIDER_load(nullptr, "default")),
        cipher_(EVP_CIPHER_fetch(nullptr, "RC4", nullptr)) {}
  ~Openssl() {
    EVP_CIPHER_free(cipher_);
    OSSL_PROVIDER_unload(default_);
    OSSL_PROVIDER_unload(legacy_);
  }

  // Start gives a context at the first octet of the key's stream.
  [[nodiscard]] EVP_CIPHER_CTX* Start(const uint8_t* key, size_t len) const {
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    EVP_CipherInit_ex(context, cipher_, nullptr, nullptr, nullptr, 1);
    EVP_CIPHER_CTX_set_key_length(context, static_cast<int>(len));
    EVP_CipherInit_ex(context, nullptr, nullptr, key, nullptr, 1);
    return context;
  }

  static void GoOn(EVP_CIPHER_CTX* context, uint8_t* text, size_t len) {
    int done = 0;
    EVP_CipherUpdate(context, text, &done, text, static_cast<int>(len));
  }

  void Crypt(const uint8_t* key, size_t key_len, uint8_t* text, size_t len) const {
    EVP_CIPHER_CTX* context = Start(key, key_len);
    GoOn(context, text, len);
    EVP_CIPHER_CTX_free(context);
  }

  // RFC 3079 s3.3, s3.4.
  void ChangeKey(const Key& start, uint16_t bits, Key* key) const {
    const auto len = static_cast<int>(KeyLen(bits));
    Bytes input(start.begin(), start.begin() + len);
    input.insert(input.end(), 40, 0x00);
    input.insert(input.end(), key->begin(), key->begin() + len);
    input.insert(input.end(), 40, 0xf2);
    uint8_t digest[20];
    EVP_Digest(input.data(), input.size(), digest, nullptr, EVP_sha1(), nullptr);
    std::copy_n(digest, len, key->begin());
    Crypt(digest, KeyLen(bits), key->data(), KeyLen(bits));
    const uint8_t fixed[] = {0xd1, 0x26, 0x9e};
    std::copy_n(fixed, bits == 40 ? 3 : bits == 56 ? 1 : 0, key->begin());
  }

 private:
  OSSL_PROVIDER* legacy_;
  OSSL_PROVIDER* default_;
  EVP_CIPHER* cipher_;
};

constexpr size_t kGuard = 64;

// Buffer keeps a text between guards that nothing may touch.
class Buffer {
 public:
  Buffer(std::mt19937* random, size_t len) : octets_(kGuard + len + kGuard), len_(len) {
    std::generate(octets_.begin(), octets_.end(),
                  [&] { return static_cast<uint8_t>((*random)()); });
    before_ = octets_;
  }
  uint8_t* text() { return octets_.data() + kGuard; }
  [[nodiscard]] size_t len() const { return len_; }
  [[nodiscard]] Bytes Text() const { return {octets_.begin() + kGuard, octets_.end() - kGuard}; }
  [[nodiscard]] Bytes TextBefore() const {
    return {before_.begin() + kGuard, before_.end() - kGuard};
  }
  [[nodiscard]] bool GuardsAreWhole() const {
    return std::equal(octets_.begin(), octets_.begin() + kGuard, before_.begin()) &&
           std::equal(octets_.end() - kGuard, octets_.end(), before_.end() - kGuard);
  }

 private:
  Bytes octets_;
  Bytes before_;
  size_t len_;
};

class EngineTest : public ::testing::TestWithParam<Engine::Kind> {
 protected:
  Key RandomKey(uint16_t bits) {
    Key key{};
    std::generate_n(key.begin(), KeyLen(bits), [&] { return static_cast<uint8_t>(random_()); });
    return key;
  }
  size_t Uniform(size_t least, size_t most) {
    return std::uniform_int_distribution<size_t>(least, most)(random_);
  }
  uint16_t RandomBits() {
    const uint16_t all[] = {40, 56, 128};
    return all[Uniform(0, 2)];
  }
  void CheckStateless(size_t num, size_t most_len, double chained);
  void CheckStateful(size_t num, size_t num_tables, size_t most_len);

  std::mt19937 random_{20240229};
  Openssl openssl_;
  std::unique_ptr<Engine> engine_ = Engine::Create(GetParam());
};

// `chained` of the jobs go on from an earlier one.
void EngineTest::CheckStateless(size_t num, size_t most_len, double chained) {
  std::vector<Key> starts(num);
  std::vector<Buffer> buffers;
  std::vector<StatelessJob> jobs(num);
  for (size_t i = 0; i < num; ++i) {
    buffers.emplace_back(&random_, Uniform(most_len == 0 ? 0 : 1, most_len));
    StatelessJob& job = jobs[i];
    job = {&starts[i],
           {},
           buffers[i].text(),
           static_cast<uint32_t>(Uniform(0, 3)),
           static_cast<uint16_t>(buffers[i].len()),
           RandomBits(),
           kNoPredecessor};
    if (i > 0 && std::bernoulli_distribution(chained)(random_)) {
      job.predecessor = static_cast<uint16_t>(Uniform(i > 3 ? i - 3 : 0, i - 1));
      job.bits = jobs[job.predecessor].bits;
      job.start_key = jobs[job.predecessor].start_key;
    } else {
      starts[i] = RandomKey(job.bits);
      job.key = RandomKey(job.bits);
    }
  }
  const std::vector<StatelessJob> asked = jobs;
  engine_->Run(jobs);
  std::vector<Key> keys(num);
  for (size_t i = 0; i < num; ++i) {
    const StatelessJob& job = asked[i];
    keys[i] = job.predecessor == kNoPredecessor ? job.key : keys[job.predecessor];
    for (uint32_t n = 0; n < job.changes; ++n) {
      openssl_.ChangeKey(*job.start_key, job.bits, &keys[i]);
    }
    const size_t key_len = KeyLen(job.bits);
    ASSERT_TRUE(std::equal(keys[i].begin(), keys[i].begin() + static_cast<int>(key_len),
                           jobs[i].key.begin()))
        << "job " << i << " of " << num;
    Bytes expected = buffers[i].TextBefore();
    openssl_.Crypt(keys[i].data(), key_len, expected.data(), expected.size());
    ASSERT_EQ(buffers[i].Text(), expected) << "job " << i << " of " << num;
    ASSERT_TRUE(buffers[i].GuardsAreWhole()) << "job " << i << " of " << num;
  }
}

TEST_P(EngineTest, EveryNumberOfJobs) {
  for (size_t num = 1; num <= 64; ++num) {
    CheckStateless(num, 200, 0);
  }
}

TEST_P(EngineTest, LongPackets) {
  for (const size_t num : {1, 5, 8, 13, 32}) {
    CheckStateless(num, 1500, 0);
  }
}

TEST_P(EngineTest, EveryLength) {
  for (size_t len = 1; len <= 1500; ++len) {
    const Key start = RandomKey(128);
    Buffer buffer(&random_, len);
    StatelessJob job{&start, RandomKey(128), buffer.text(), 0, static_cast<uint16_t>(len),
                     128,    kNoPredecessor};
    engine_->Run({&job, 1});
    Bytes expected = buffer.TextBefore();
    openssl_.Crypt(job.key.data(), 16, expected.data(), len);
    ASSERT_EQ(buffer.Text(), expected) << len;
    ASSERT_TRUE(buffer.GuardsAreWhole()) << len;
  }
}

TEST_P(EngineTest, Chains) {
  for (const size_t num : {2, 7, 8, 32, 64}) {
    CheckStateless(num, 300, 0.5);
    CheckStateless(num, 300, 1);
  }
  CheckStateless(Engine::kMaxJobs, 100, 0.9);
}

TEST_P(EngineTest, KeysOnly) { CheckStateless(32, 0, 0.3); }

TEST_P(EngineTest, NoJobs) {
  engine_->Run(std::span<StatelessJob>());
  engine_->Run(std::span<StatefulJob>());
}

TEST_P(EngineTest, AdvanceIsSoManyChanges) {
  for (const uint16_t bits : {40, 56, 128}) {
    const Key start = RandomKey(bits);
    Key key = RandomKey(bits);
    Key expected = key;
    for (const uint32_t changes : {0U, 1U, 2U, 300U}) {
      engine_->Advance(start, bits, changes, &key);
      for (uint32_t i = 0; i < changes; ++i) {
        openssl_.ChangeKey(start, bits, &expected);
      }
      EXPECT_TRUE(
          std::equal(key.begin(), key.begin() + static_cast<int>(KeyLen(bits)), expected.begin()))
          << bits << " " << changes;
    }
  }
}

// Streams that go on over many Runs, and get new keys now and then.
void EngineTest::CheckStateful(size_t num, size_t num_tables, size_t most_len) {
  std::vector<Rc4Table> tables(num_tables);
  std::vector<EVP_CIPHER_CTX*> contexts(num_tables, nullptr);
  for (int run = 0; run < 5; ++run) {
    std::vector<Buffer> buffers;
    std::vector<Bytes> expected;
    std::vector<StatefulJob> jobs(num);
    for (size_t i = 0; i < num; ++i) {
      const size_t table = Uniform(0, num_tables - 1);
      buffers.emplace_back(&random_, Uniform(1, most_len));
      const auto len = static_cast<uint16_t>(buffers[i].len());
      jobs[i] = {&tables[table], buffers[i].text(), len, 0, {}};
      EVP_CIPHER_CTX*& context = contexts[table];
      if (context == nullptr || Uniform(0, 9) == 0) {
        const uint16_t bits = RandomBits();
        jobs[i].key_len = static_cast<uint16_t>(KeyLen(bits));
        jobs[i].key = RandomKey(bits);
        EVP_CIPHER_CTX_free(context);
        context = openssl_.Start(jobs[i].key.data(), jobs[i].key_len);
      }
      expected.push_back(buffers[i].TextBefore());
      Openssl::GoOn(context, expected[i].data(), len);
    }
    engine_->Run(jobs);
    for (size_t i = 0; i < num; ++i) {
      ASSERT_EQ(buffers[i].Text(), expected[i]) << "job " << i << " of " << num;
      ASSERT_TRUE(buffers[i].GuardsAreWhole()) << "job " << i << " of " << num;
    }
  }
  std::for_each(contexts.begin(), contexts.end(), EVP_CIPHER_CTX_free);
}

TEST_P(EngineTest, StatefulStreams) {
  for (const size_t num_tables : {1, 2, 5, 8, 11, 64}) {
    for (const size_t num : {1, 3, 8, 32, 64}) {
      CheckStateful(num, num_tables, 400);
    }
  }
  CheckStateful(32, 32, 1500);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EngineTest,
                         ::testing::Values(Engine::Kind::kBest, Engine::Kind::kPortable),
                         [](const auto& kind) {
                           return kind.param == Engine::Kind::kBest ? "Best" : "Portable";
                         });

}  // namespace
}  // namespace culvert::dataplane::mppe
