#include "controlplane/dataplane_client/program_stream.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace culvert {

namespace v1 = dataplane::v1;

namespace {

// Of a message, which may have 16 MiB: operations (a call's is at most some 1.2 KiB) and octets of
// filters (one may have some 200 KB).
constexpr int kMaxBatch = 512;
// One is carried out while the next is on its way.
constexpr size_t kMaxUnanswered = 2;
constexpr size_t kMaxFilterOctets = 2 << 20;

// NumOfBatch is how many operations go in one message: at least one.
int NumOfBatch(const v1::ProgramRequest& waiting) {
  const int most = std::min(waiting.operations_size(), kMaxBatch);
  size_t octets = 0;
  for (int i = 0; i < most; ++i) {
    if (waiting.operations(i).has_upsert_filter()) {
      octets += waiting.operations(i).ByteSizeLong();
      if (i > 0 && octets > kMaxFilterOctets) {
        return i;
      }
    }
  }
  return most;
}

void WipeKeys(v1::ProgramRequest& request) {
  for (v1::Operation& operation : *request.mutable_operations()) {
    if (!operation.has_upsert()) {
      continue;
    }
    v1::CallConfig& config = *operation.mutable_upsert();
    for (v1::MppeKey* key : {config.has_receive() ? config.mutable_receive() : nullptr,
                             config.has_send() ? config.mutable_send() : nullptr}) {
      if (key != nullptr) {
        OPENSSL_cleanse(key->mutable_start_key()->data(), key->start_key().size());
      }
    }
  }
}

v1::Result Unavailable() {
  v1::Result result;
  result.set_code(static_cast<int>(grpc::StatusCode::UNAVAILABLE));
  result.set_message("the data plane is not connected");
  return result;
}

}  // namespace

void ProgramStream::Start(v1::Dataplane::Stub* stub, grpc::ClientContext* context) {
  stub->async()->Program(context, this);
  AddHold();  // writes start outside of reactions; Close() lets go
  StartRead(&response_);
  StartCall();
}

void ProgramStream::Add(size_t shard, v1::Operation operation, Answered answered) {
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) {
      waiting_.add_operations()->Swap(&operation);
      waiting_asked_.push_back({.shard = shard, .answered = std::move(answered)});
      return;
    }
  }
  std::vector<Asked> asked;
  asked.push_back({.shard = shard, .answered = std::move(answered)});
  Distribute(std::move(asked), [](size_t) { return Unavailable(); });
}

void ProgramStream::Flush() {
  absl::MutexLock lock(&mutex_);
  if (!closed_ && !writing_) {
    WriteNext();
  }
}

void ProgramStream::Submit(v1::Operation operation, Answered answered) {
  Add(kNoShard, std::move(operation), std::move(answered));
  Flush();
}

template <typename Result>
void ProgramStream::Distribute(std::vector<Asked> asked, Result result) {
  std::vector<std::vector<Answer>> by_shard;
  for (size_t i = 0; i < asked.size(); ++i) {
    const size_t shard = asked[i].shard;
    if (shard == kNoShard) {
      asked[i].answered(result(i));
      continue;
    }
    by_shard.resize(std::max(by_shard.size(), shard + 1));
    by_shard[shard].push_back({.answered = std::move(asked[i].answered), .result = result(i)});
  }
  for (size_t shard = 0; shard < by_shard.size(); ++shard) {
    if (!by_shard[shard].empty()) {
      deliver_(shard, std::move(by_shard[shard]));
    }
  }
}

void ProgramStream::WriteNext() {
  if (waiting_asked_.empty() || unanswered_.size() >= kMaxUnanswered) {
    return;
  }
  Batch batch{.number = ++last_number_, .sent = Clock::now(), .asked = {}};
  written_.Clear();
  const int num = NumOfBatch(waiting_);
  if (waiting_.operations_size() == num) {
    written_.Swap(&waiting_);
    batch.asked = std::exchange(waiting_asked_, {});
  } else {
    for (int i = 0; i < num; ++i) {
      written_.add_operations()->Swap(waiting_.mutable_operations(i));
      batch.asked.push_back(std::move(waiting_asked_[static_cast<size_t>(i)]));
    }
    waiting_.mutable_operations()->DeleteSubrange(0, num);
    waiting_asked_.erase(waiting_asked_.begin(), waiting_asked_.begin() + num);
  }
  written_.set_batch(batch.number);
  unanswered_.push_back(std::move(batch));
  writing_ = true;
  StartWrite(&written_);
}

void ProgramStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  WipeKeys(written_);
  writing_ = false;
  if (ok && !closed_) {
    WriteNext();
  }
}

void ProgramStream::OnReadDone(bool ok) {
  if (!ok) {
    return Close();
  }
  Batch batch{};
  {
    absl::MutexLock lock(&mutex_);
    if (unanswered_.empty() || unanswered_.front().number != response_.batch() ||
        static_cast<size_t>(response_.results_size()) != unanswered_.front().asked.size()) {
      batch.number = 0;
    } else {
      batch = std::move(unanswered_.front());
      unanswered_.pop_front();
      last_answer_ = Clock::now();
      if (!writing_ && !closed_) {
        WriteNext();
      }
    }
  }
  if (batch.number == 0) {
    return Close();  // a data plane that breaks the contract is as good as none
  }
  Distribute(std::move(batch.asked), [this](size_t i) {
    return std::move(*response_.mutable_results(static_cast<int>(i)));
  });
  StartRead(&response_);
}

void ProgramStream::Close() {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(closed_, true)) {
      return;
    }
  }
  RemoveHold();
}

void ProgramStream::OnDone(const grpc::Status& status) {
  std::vector<Asked> left;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    for (Batch& batch : unanswered_) {
      std::move(batch.asked.begin(), batch.asked.end(), std::back_inserter(left));
    }
    std::move(waiting_asked_.begin(), waiting_asked_.end(), std::back_inserter(left));
    unanswered_.clear();
    waiting_asked_.clear();
    WipeKeys(waiting_);
  }
  Distribute(std::move(left), [](size_t) { return Unavailable(); });
  done_(status);
}

std::optional<ProgramStream::Clock::time_point> ProgramStream::SilentSince() const {
  absl::MutexLock lock(&mutex_);
  return unanswered_.empty() ? std::nullopt
                             : std::optional(std::max(unanswered_.front().sent, last_answer_));
}

}  // namespace culvert
