#include <cstdio>
#include <cstdlib>

#include "tools/bench_mppe/subject.h"

namespace culvert::bench {
namespace {

namespace mppe = dataplane::mppe;

std::unique_ptr<mppe::Engine> CreateEngine(bool portable) {
  auto engine =
      mppe::Engine::Create(portable ? mppe::Engine::Kind::kPortable : mppe::Engine::Kind::kBest);
  if (engine == nullptr) {
    std::fprintf(stderr, "bench: ipsec-mb cannot run on this processor\n");
    std::exit(1);
  }
  return engine;
}

class Stateless : public Subject {
 public:
  Stateless(const Workload& workload, bool portable)
      : Subject(workload), engine_(CreateEngine(portable)), keys_(workload.start_keys) {}

  // As the packet path does it: jobs from the calls, calls from the jobs.
  void Run() override {
    mppe::StatelessJob jobs[kBurst];
    for (const Burst& burst : workload_.bursts) {
      for (size_t i = 0; i < burst.size(); ++i) {
        const Packet& packet = burst[i];
        jobs[i] = {&workload_.start_keys[packet.call],
                   keys_[packet.call],
                   texts_.data() + packet.offset,
                   1,
                   packet.len,
                   workload_.spec.bits,
                   packet.predecessor};
      }
      engine_->Run({jobs, burst.size()});
      for (size_t i = 0; i < burst.size(); ++i) {
        keys_[burst[i].call] = jobs[i].key;
      }
    }
  }

 private:
  std::unique_ptr<mppe::Engine> engine_;
  std::vector<mppe::Key> keys_;
};

class Stateful : public Subject {
 public:
  Stateful(const Workload& workload, bool portable)
      : Subject(workload), engine_(CreateEngine(portable)), tables_(workload.start_keys.size()) {
    for (size_t i = 0; i < tables_.size(); ++i) {
      mppe::Schedule({workload.start_keys[i].data(), mppe::KeyLen(workload.spec.bits)},
                     &tables_[i]);
    }
  }

  void Run() override {
    mppe::StatefulJob jobs[kBurst];
    for (const Burst& burst : workload_.bursts) {
      for (size_t i = 0; i < burst.size(); ++i) {
        const Packet& packet = burst[i];
        jobs[i] = {&tables_[packet.call], texts_.data() + packet.offset, packet.len, 0, {}};
      }
      engine_->Run({jobs, burst.size()});
    }
  }

 private:
  std::unique_ptr<mppe::Engine> engine_;
  std::vector<mppe::Rc4Table> tables_;
};

}  // namespace

std::unique_ptr<Subject> MakeEngine(const Workload& workload, bool portable) {
  if (workload.spec.stateful) {
    return std::make_unique<Stateful>(workload, portable);
  }
  return std::make_unique<Stateless>(workload, portable);
}

}  // namespace culvert::bench
