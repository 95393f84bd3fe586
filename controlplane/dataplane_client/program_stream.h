// ProgramStream: one Program RPC. Operations are gathered until Flush(), and while the data plane
// has as many requests as keep it busy, and go out together: it carries out those of one request at
// the cost of one. Any thread may call it; answers come on gRPC's threads, those of one response
// and shard together.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "culvert/dataplane/v1/dataplane.grpc.pb.h"

namespace culvert {

class ProgramStream final : public grpc::ClientBidiReactor<dataplane::v1::ProgramRequest,
                                                           dataplane::v1::ProgramResponse> {
 public:
  using Answered = std::function<void(const dataplane::v1::Result&)>;
  struct Answer {
    Answered answered;
    dataplane::v1::Result result;
  };
  // Deliver gets the answers to what was added for a shard.
  using Deliver = std::function<void(size_t shard, std::vector<Answer> answers)>;
  using Clock = std::chrono::steady_clock;

  // `done` is called once, on a thread of gRPC's, when the RPC is over and everything that was
  // submitted has been answered; the stream may be destroyed after that.
  ProgramStream(Deliver deliver, std::function<void(const grpc::Status&)> done)
      : deliver_(std::move(deliver)), done_(std::move(done)) {}

  void Start(dataplane::v1::Dataplane::Stub* stub, grpc::ClientContext* context);

  // Add keeps an operation until Flush(). It is answered once; with UNAVAILABLE when the RPC ends
  // before the answer, at once when it has ended already.
  void Add(size_t shard, dataplane::v1::Operation operation, Answered answered);
  void Flush();
  // Submit adds and flushes; `answered` is called by the thread that has the answer.
  void Submit(dataplane::v1::Operation operation, Answered answered);

  // SilentSince is when the data plane has last answered, or been asked, if it owes an answer. One
  // that is slow but answers is not silent, however long its queue.
  [[nodiscard]] std::optional<Clock::time_point> SilentSince() const;

  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  struct Asked {
    size_t shard;  // or kNoShard
    Answered answered;
  };
  struct Batch {
    uint64_t number;
    Clock::time_point sent;
    std::vector<Asked> asked;
  };
  static constexpr size_t kNoShard = SIZE_MAX;
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Close();
  // Distribute answers `asked` with `result(i)`.
  template <typename Result>
  void Distribute(std::vector<Asked> asked, Result result);

  const Deliver deliver_;
  const std::function<void(const grpc::Status&)> done_;
  mutable absl::Mutex mutex_;
  dataplane::v1::ProgramRequest waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<Asked> waiting_asked_ ABSL_GUARDED_BY(mutex_);
  std::deque<Batch> unanswered_ ABSL_GUARDED_BY(mutex_);  // in the order sent
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  Clock::time_point last_answer_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  dataplane::v1::ProgramRequest written_;    // gRPC's while writing_
  dataplane::v1::ProgramResponse response_;  // gRPC's between OnReadDone()s
};

}  // namespace culvert
