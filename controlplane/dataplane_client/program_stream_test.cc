#include "controlplane/dataplane_client/program_stream.h"

#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "controlplane/dataplane_client/fake_dataplane.h"

namespace culvert {
namespace {

namespace v1 = dataplane::v1;

// A data plane that is busy gets few and large requests, in order.
TEST(ProgramStream, GathersWhileTheDataPlaneIsBusy) {
  std::string folder = ::testing::TempDir() + "program-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  testing::FakeDataplane dataplane(folder + "/socket");
  const auto stub = v1::Dataplane::NewStub(
      grpc::CreateChannel("unix:" + folder + "/socket", grpc::InsecureChannelCredentials()));
  absl::Mutex mutex;
  std::vector<uint64_t> handles;
  absl::Notification done;
  grpc::ClientContext context;
  ProgramStream stream(
      [&](size_t /*shard*/, std::vector<ProgramStream::Answer> answers) {
        for (const ProgramStream::Answer& answer : answers) {
          answer.answered(answer.result);
        }
      },
      [&](const grpc::Status& /*status*/) { done.Notify(); });
  stream.Start(stub.get(), &context);
  dataplane.Hold();
  constexpr uint64_t kOperations = 700;  // more than one request may have
  for (uint64_t i = 1; i <= kOperations; ++i) {
    v1::Operation operation;
    operation.set_remove(i);
    stream.Add(0, std::move(operation), [&](const v1::Result& result) {
      const absl::MutexLock lock(&mutex);
      handles.push_back(result.handle());
    });
    stream.Flush();
    if (i % 70 == 0) {  // time for a request to be written, if there were one
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  for (int i = 0; dataplane.Requests().empty() && i < 6000; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  dataplane.Release();
  const auto all_answered = [&] { return handles.size() == kOperations; };
  mutex.LockWhenWithTimeout(absl::Condition(&all_answered), absl::Seconds(60));
  EXPECT_THAT(handles, ::testing::SizeIs(kOperations));
  EXPECT_TRUE(std::is_sorted(handles.begin(), handles.end()));
  mutex.Unlock();
  const std::vector<int> requests = dataplane.Requests();
  EXPECT_LE(requests.size(), 5u) << "two while it was held, the rest when it answered";
  EXPECT_LE(*std::max_element(requests.begin(), requests.end()), 512);
  EXPECT_FALSE(stream.SilentSince().has_value());
  context.TryCancel();
  done.WaitForNotification();
  dataplane.Stop();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace culvert
