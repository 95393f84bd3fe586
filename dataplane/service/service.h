// Service: the gRPC service culvert.dataplane.v1.Dataplane over a Datapath. gRPC's threads call it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "culvert/dataplane/v1/dataplane.grpc.pb.h"
#include "dataplane/datapath.h"
#include "dataplane/service/counter_news.h"
#include "dataplane/service/event_pump.h"
#include "dataplane/service/frame_pump.h"

namespace culvert::dataplane {

// What the service tells about the rest of the process.
struct ServiceSpec {
  std::string version;
  uint32_t workers = 0;
  uint32_t max_local_addresses = 0;
  std::vector<std::string> ports;
  // Adds ports and mbufs to a round of counters; called by any thread.
  std::function<void(v1::CountersResponse*)> add_process_counters;
};

class Service final : public v1::Dataplane::Service {
 public:
  // Borrows all until the server that has it is down.
  Service(Datapath* datapath, FramePump* frames, EventPump* events, ServiceSpec spec);

  // Stop ends streams that wait by themselves.
  void Stop();

  grpc::Status Describe(grpc::ServerContext* context, const v1::DescribeRequest* request,
                        v1::DescribeResponse* response) override;
  grpc::Status Program(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::ProgramResponse, v1::ProgramRequest>* stream) override;
  grpc::Status Frames(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<v1::FrameBatch, v1::FrameBatch>* stream) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListRequest* request,
                    grpc::ServerWriter<v1::ListResponse>* writer) override;
  grpc::Status Counters(grpc::ServerContext* context, const v1::CountersRequest* request,
                        grpc::ServerWriter<v1::CountersResponse>* writer) override;
  grpc::Status Events(grpc::ServerContext* context, const v1::EventsRequest* request,
                      grpc::ServerWriter<v1::EventBatch>* writer) override;
  grpc::Status Trace(grpc::ServerContext* context, const v1::TraceRequest* request,
                     grpc::ServerWriter<v1::TracedPacket>* writer) override;

 private:
  // WriteRound: `news` null: without calls.
  bool WriteRound(CounterNews* news, grpc::ServerWriter<v1::CountersResponse>* writer);
  grpc::Status WriteTrace(grpc::ServerContext* context, const v1::TraceRequest& request,
                          grpc::ServerWriter<v1::TracedPacket>* writer);
  // Waits; false when the client has gone or the service stops.
  bool Wait(grpc::ServerContext* context, uint32_t interval_ms);

  Datapath* datapath_;
  FramePump* frames_;
  EventPump* events_;
  ServiceSpec spec_;
  uint64_t instance_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;            // guarded by mutex_
  std::mutex trace_mutex_;           // held by the one trace there may be
  std::atomic<uint64_t> traced_{0};  // the call's handle; 0: none, or it was removed
};

}  // namespace culvert::dataplane
