#include "controlplane/dataplane_client/program_stream.h"

#include <openssl/crypto.h>

#include <utility>

namespace culvert {

namespace v1 = dataplane::v1;

namespace {

constexpr int kMaxBatch = 512;  // operations; a call's is at most some 1.2 KiB, a message 4 MiB

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

void ProgramStream::Submit(v1::Operation operation, Answered answered) {
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) {
      *waiting_.add_operations() = std::move(operation);
      waiting_answered_.push_back(std::move(answered));
      if (!writing_) {
        WriteNext();
      }
      return;
    }
  }
  answered(Unavailable());
}

void ProgramStream::WriteNext() {
  if (waiting_answered_.empty()) {
    return;
  }
  Batch batch{.number = ++last_number_, .sent = Clock::now(), .answered = {}};
  written_.Clear();
  if (waiting_.operations_size() <= kMaxBatch) {
    written_.Swap(&waiting_);
    batch.answered = std::exchange(waiting_answered_, {});
  } else {
    for (int i = 0; i < kMaxBatch; ++i) {
      written_.add_operations()->Swap(waiting_.mutable_operations(i));
      batch.answered.push_back(std::move(waiting_answered_[static_cast<size_t>(i)]));
    }
    waiting_.mutable_operations()->DeleteSubrange(0, kMaxBatch);
    waiting_answered_.erase(waiting_answered_.begin(), waiting_answered_.begin() + kMaxBatch);
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
        static_cast<size_t>(response_.results_size()) != unanswered_.front().answered.size()) {
      batch.number = 0;
    } else {
      batch = std::move(unanswered_.front());
      unanswered_.pop_front();
    }
  }
  if (batch.number == 0) {
    return Close();  // a data plane that breaks the contract is as good as none
  }
  for (size_t i = 0; i < batch.answered.size(); ++i) {
    batch.answered[i](response_.results(static_cast<int>(i)));
  }
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
  std::vector<Answered> left;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    for (Batch& batch : unanswered_) {
      for (Answered& answered : batch.answered) {
        left.push_back(std::move(answered));
      }
    }
    for (Answered& answered : waiting_answered_) {
      left.push_back(std::move(answered));
    }
    unanswered_.clear();
    waiting_answered_.clear();
    WipeKeys(waiting_);
  }
  v1::Result result = Unavailable();
  for (Answered& answered : left) {
    answered(result);
  }
  done_(status);
}

std::optional<ProgramStream::Clock::time_point> ProgramStream::OldestUnanswered() const {
  absl::MutexLock lock(&mutex_);
  return unanswered_.empty() ? std::nullopt : std::optional(unanswered_.front().sent);
}

}  // namespace culvert
