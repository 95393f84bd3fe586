#include "dataplane/mppe/engine.h"

#include "dataplane/mppe/sha1.h"

namespace culvert::dataplane::mppe {
namespace {

// One packet after the other.
class PlainEngine : public Engine {
 public:
  explicit PlainEngine(std::unique_ptr<Sha1> sha1) : sha1_(std::move(sha1)) {}

  void Run(std::span<StatelessJob> jobs) override {
    for (StatelessJob& job : jobs) {
      if (job.predecessor != kNoPredecessor) {
        job.key = jobs[job.predecessor].key;
      }
      Advance(*job.start_key, job.bits, job.changes, &job.key);
      if (job.len > 0) {
        Rc4({job.key.data(), KeyLen(job.bits)}).Crypt({job.text, job.len});
      }
    }
  }

  void Run(std::span<StatefulJob> jobs) override {
    for (StatefulJob& job : jobs) {
      if (job.key_len > 0) {
        Schedule({job.key.data(), job.key_len}, job.table);
      }
      Crypt(job.table, {job.text, job.len});
    }
  }

  void Advance(const Key& start_key, uint16_t bits, uint32_t changes, Key* key) override {
    for (uint32_t i = 0; i < changes; ++i) {
      NextKey(*sha1_, start_key, bits, key);
    }
  }

 private:
  std::unique_ptr<Sha1> sha1_;
};

}  // namespace

std::unique_ptr<Engine> Engine::Create(Kind kind) {
  std::unique_ptr<Sha1> sha1 = Sha1::Create();
  if (sha1 == nullptr) {
    return nullptr;
  }
  return std::make_unique<PlainEngine>(std::move(sha1));
}

}  // namespace culvert::dataplane::mppe
