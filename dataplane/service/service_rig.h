// ServiceTest: the service over a FakeDatapath and a real socket, for its tests.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "dataplane/service/fake_datapath.h"
#include "dataplane/service/server.h"
#include "dataplane/service/service.h"

namespace culvert::dataplane {

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    std::string folder = testing::TempDir() + "/culvert_service_XXXXXX";
    folder_ = mkdtemp(folder.data());
    path_ = folder_ + "/run/dataplane.sock";
    auto server = Server::Listen(path_, &service_);
    if (!server.ok()) ADD_FAILURE() << server.status();
    server_ = *std::move(server);
    pump_.Start();
    events_.Start();
    channel_ = grpc::CreateChannel("unix:" + path_, grpc::InsecureChannelCredentials());
    stub_ = v1::Dataplane::NewStub(channel_);
  }
  ~ServiceTest() override {
    service_.Stop();
    server_.reset();
    pump_.Stop();
    events_.Stop();
    std::filesystem::remove_all(folder_);
  }

  static v1::CallConfig Call(uint32_t call_id) {
    v1::CallConfig config;
    config.set_local_address(0xc0000201);
    config.set_peer_address(0xc0000202);
    config.set_call_id(call_id);
    return config;
  }
  // One request, one response.
  v1::ProgramResponse Program(const v1::ProgramRequest& request) {
    grpc::ClientContext context;
    const auto stream = stub_->Program(&context);
    v1::ProgramResponse response;
    EXPECT_TRUE(stream->Write(request));
    EXPECT_TRUE(stream->Read(&response));
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return response;
  }

  FakeDatapath datapath_;
  FramePump pump_{&datapath_};
  EventPump events_{&datapath_};
  Service service_{&datapath_,
                   &pump_,
                   &events_,
                   {.version = "1.2",
                    .workers = 2,
                    .max_local_addresses = 4,
                    .ports = {"access", "core"},
                    .add_process_counters = [](v1::CountersResponse* response) {
                      response->set_mbufs_total(77);
                    }}};
  std::string folder_, path_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Dataplane::Stub> stub_;
};

}  // namespace culvert::dataplane
