#include "dataplane/mppe/engine.h"

#include <algorithm>
#include <array>

#include "dataplane/mppe/lanes/group.h"
#include "dataplane/mppe/lanes/key_hash.h"
#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr uint16_t kNone = 0xffff;

// Chains: for each job the first that goes on from it, and beside that one the next.
class Chains {
 public:
  void Reset(size_t num) { std::fill_n(first_.begin(), num, kNone); }
  void Add(uint16_t job, uint16_t successor) {
    next_[successor] = first_[job];
    first_[job] = successor;
  }
  [[nodiscard]] uint16_t First(uint16_t job) const { return first_[job]; }
  [[nodiscard]] uint16_t Next(uint16_t successor) const { return next_[successor]; }

 private:
  std::array<uint16_t, Engine::kMaxJobs> first_;
  std::array<uint16_t, Engine::kMaxJobs> next_;
};

class LaneEngine : public Engine {
 public:
  LaneEngine(std::unique_ptr<KeyHash> hash, const Kernels& kernels)
      : hash_(std::move(hash)), kernels_(kernels), group_(kernels) {}

  void Run(std::span<StatelessJob> jobs) override;
  void Run(std::span<StatefulJob> jobs) override;
  void Advance(const Key& start_key, uint16_t bits, uint32_t changes, Key* key) override;

 private:
  void MakeKeys(std::span<StatelessJob> jobs);
  void ReplaceDone(std::span<StatelessJob> jobs);
  void ChangeKeys(const KeyChange* changes, unsigned num);
  void CryptTexts(std::span<StatelessJob> jobs);
  void GoOn(std::span<StatefulJob> jobs, const uint32_t* order, unsigned num);
  void GoOnBlocks(Stream* streams, unsigned num, size_t num_blocks);

  static constexpr size_t kSpareBlocks = 128;

  std::unique_ptr<KeyHash> hash_;
  const Kernels& kernels_;
  Group group_;
  Chains chains_;
  std::array<uint32_t, kMaxJobs> changes_left_;
  std::array<uint16_t, kMaxJobs> ready_;  // jobs that wait for no other
  size_t num_ready_ = 0;
  std::array<uint32_t, kMaxJobs> order_;
  // What streams do that have nothing to do.
  std::array<Rc4Table, kStreams> spare_tables_{};
  std::array<uint8_t, kSpareBlocks * kBlockLen> spare_text_{};
};

// An entry of an order by length: the longest first when sorted downwards.
constexpr uint32_t Entry(uint16_t len, size_t index) {
  return static_cast<uint32_t>(len) << 16 | static_cast<uint32_t>(index);
}
constexpr size_t Index(uint32_t entry) { return entry & 0xffff; }

void SortLongestFirst(uint32_t* entries, size_t num) {
  const auto longer = [](uint32_t one, uint32_t other) { return one >> 16 > other >> 16; };
  if (!std::is_sorted(entries, entries + num, longer)) {
    std::sort(entries, entries + num, std::greater<>());
  }
}

void LaneEngine::Run(std::span<StatelessJob> jobs) {
  MakeKeys(jobs);
  CryptTexts(jobs);
}

// ReplaceDone: jobs with no change left make room for those that begin from their keys.
void LaneEngine::ReplaceDone(std::span<StatelessJob> jobs) {
  for (size_t at = 0; at < num_ready_;) {
    const uint16_t job = ready_[at];
    if (changes_left_[job] > 0) {
      ++at;
      continue;
    }
    ready_[at] = ready_[--num_ready_];
    for (uint16_t i = chains_.First(job); i != kNone; i = chains_.Next(i)) {
      jobs[i].key = jobs[job].key;
      ready_[num_ready_++] = i;
    }
  }
}

void LaneEngine::MakeKeys(std::span<StatelessJob> jobs) {
  chains_.Reset(jobs.size());
  num_ready_ = 0;
  for (uint16_t i = 0; i < jobs.size(); ++i) {
    changes_left_[i] = jobs[i].changes;
    if (jobs[i].predecessor == kNoPredecessor) {
      ready_[num_ready_++] = i;
    } else {
      chains_.Add(jobs[i].predecessor, i);
    }
  }
  for (ReplaceDone(jobs); num_ready_ > 0; ReplaceDone(jobs)) {
    for (size_t first = 0; first < num_ready_; first += kLanes) {
      const auto num = static_cast<unsigned>(std::min<size_t>(kLanes, num_ready_ - first));
      std::array<KeyChange, kLanes> changes;
      for (unsigned lane = 0; lane < num; ++lane) {
        StatelessJob& job = jobs[ready_[first + lane]];
        changes[lane] = {job.start_key, &job.key, job.bits};
        --changes_left_[ready_[first + lane]];
      }
      ChangeKeys(changes.data(), num);
    }
  }
}

void LaneEngine::ChangeKeys(const KeyChange* changes, unsigned num) {
  std::array<Key, kLanes> interim;
  hash_->Interim(changes, num, interim.data());
  for (unsigned lane = 0; lane < num; ++lane) {
    group_.SetKey(lane, interim[lane], changes[lane].bits);
  }
  group_.CryptKeys(num);
  for (unsigned lane = 0; lane < num; ++lane) {
    *changes[lane].key = group_.key(lane);
    Reduce(changes[lane].bits, changes[lane].key);
  }
  Wipe(interim.data(), sizeof(interim));
}

void LaneEngine::CryptTexts(std::span<StatelessJob> jobs) {
  size_t num_texts = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].len > 0) {
      order_[num_texts++] = Entry(jobs[i].len, i);
    }
  }
  SortLongestFirst(order_.data(), num_texts);
  for (size_t first = 0; first < num_texts; first += kLanes) {
    const auto num = static_cast<unsigned>(std::min<size_t>(kLanes, num_texts - first));
    std::array<uint8_t*, kLanes> texts;
    std::array<uint16_t, kLanes> lens;
    for (unsigned lane = 0; lane < num; ++lane) {
      const StatelessJob& job = jobs[Index(order_[first + lane])];
      texts[lane] = job.text;
      lens[lane] = job.len;
      group_.SetKey(lane, job.key, job.bits);
    }
    group_.Crypt(texts.data(), lens.data(), num);
  }
}

void LaneEngine::Advance(const Key& start_key, uint16_t bits, uint32_t changes, Key* key) {
  const KeyChange change{&start_key, key, bits};
  for (uint32_t i = 0; i < changes; ++i) {
    ChangeKeys(&change, 1);
  }
}

void LaneEngine::Run(std::span<StatefulJob> jobs) {
  chains_.Reset(jobs.size());
  num_ready_ = 0;
  for (uint16_t i = 0; i < jobs.size(); ++i) {
    uint16_t before = i;
    while (before > 0 && jobs[before - 1].table != jobs[i].table) {
      --before;
    }
    if (before == 0) {
      ready_[num_ready_++] = i;
    } else {
      chains_.Add(static_cast<uint16_t>(before - 1), i);
    }
  }
  while (num_ready_ > 0) {
    for (size_t i = 0; i < num_ready_; ++i) {
      order_[i] = Entry(jobs[ready_[i]].len, ready_[i]);
    }
    const size_t num_texts = num_ready_;
    SortLongestFirst(order_.data(), num_texts);
    num_ready_ = 0;
    for (size_t i = 0; i < num_texts; ++i) {
      if (const uint16_t next = chains_.First(static_cast<uint16_t>(Index(order_[i])));
          next != kNone) {
        ready_[num_ready_++] = next;
      }
    }
    for (size_t first = 0; first < num_texts; first += kStreams) {
      GoOn(jobs, &order_[first],
           static_cast<unsigned>(std::min<size_t>(kStreams, num_texts - first)));
    }
  }
}

// GoOn does jobs of different tables, the longest first.
void LaneEngine::GoOn(std::span<StatefulJob> jobs, const uint32_t* order, unsigned num) {
  std::array<Stream, kStreams> streams;
  for (unsigned i = 0; i < num; ++i) {
    const StatefulJob& job = jobs[Index(order[i])];
    if (job.key_len > 0) {
      Schedule({job.key.data(), job.key_len}, job.table);
    }
    streams[i] = {job.table, job.text};
  }
  size_t done = 0;  // blocks
  for (; num > 0; --num) {
    const uint16_t len = jobs[Index(order[num - 1])].len;
    GoOnBlocks(streams.data(), num, len / kBlockLen - done);
    done = len / kBlockLen;
    Crypt(streams[num - 1].table, {streams[num - 1].text, len % kBlockLen});
  }
}

// GoOnBlocks moves the texts of streams [0, num) on. Fewer streams than four take no less time.
void LaneEngine::GoOnBlocks(Stream* streams, unsigned num, size_t num_blocks) {
  while (num_blocks > 0) {
    const size_t step = std::min(num_blocks, kSpareBlocks);
    for (unsigned i = num; i < kStreams; ++i) {
      streams[i] = {&spare_tables_[i], spare_text_.data()};
    }
    kernels_.go_on(streams, step);
    for (unsigned i = 0; i < num; ++i) {
      streams[i].text += step * kBlockLen;
    }
    num_blocks -= step;
  }
}

}  // namespace

std::unique_ptr<Engine> Engine::Create(Kind kind) {
  const bool fast = kind == Kind::kBest;
  std::unique_ptr<KeyHash> hash = KeyHash::Create(fast);
  if (hash == nullptr) {
    return nullptr;
  }
  return std::make_unique<LaneEngine>(std::move(hash), fast ? kFastKernels : kPortableKernels);
}

}  // namespace culvert::dataplane::mppe
