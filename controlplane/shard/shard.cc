#include "controlplane/shard/shard.h"

#include <spdlog/spdlog.h>

#include <asio/post.hpp>

#include "controlplane/shard/home_loop.h"
#include "controlplane/shard/random.h"

namespace culvert {

namespace {
constexpr std::chrono::milliseconds kTick{1000};
constexpr std::chrono::milliseconds kShutdownTick{20};
}  // namespace

Shard::Shard(size_t index, size_t num_shards, const Services* services)
    : index_(index),
      num_shards_(num_shards),
      services_(services),
      settings_(services->settings),
      work_(asio::make_work_guard(loop_)),
      tick_(loop_),
      source_gate_(services) {}

Shard::~Shard() { Halt(); }

absl::Status Shard::Listen(std::span<const config::Endpoint> endpoints) {
  for (const config::Endpoint& endpoint : endpoints) {
    listeners_.push_back(std::make_unique<Listener>(
        loop_, endpoint, [this, listener = listeners_.size()](asio::ip::tcp::socket socket) {
          OnAccepted(listener, std::move(socket));
        }));
    absl::Status status =
        index_ == 0 && num_shards_ > 1 ? listeners_.back()->Probe() : absl::OkStatus();
    if (status.ok()) {
      status = listeners_.back()->Open(num_shards_ > 1);
    }
    if (!status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

void Shard::Start() {
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    listener->Start();
  }
  Tick();
  thread_ = std::thread([this] {
    HomeLoop::Enter(&loop_);
    loop_.run();
  });
}

void Shard::Join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Shard::Halt() {
  loop_.stop();
  Join();
}

void Shard::OnAccepted(size_t listener, asio::ip::tcp::socket socket) {
  asio::error_code error;
  asio::ip::tcp::endpoint peer = socket.remote_endpoint(error);
  asio::ip::tcp::endpoint local = error ? peer : socket.local_endpoint(error);
  if (error || !peer.address().is_v4()) {
    return;  // gone already
  }
  if (!source_gate_.AdmitConnection(peer.address().to_v4().to_uint())) {
    return;
  }
  socket.non_blocking(true, error);
  services_->metrics->OnConnectionAccepted();
  // GRE must come from the address that the client connected to: NATs and the client check it.
  auto connection =
      std::make_shared<Connection>(this, std::move(socket), peer.address().to_v4().to_uint(),
                                   local.address().to_v4().to_uint(), listener);
  connections_.emplace(connection.get(), connection);
  connection->Start();
}

void Shard::OnConnectionClosed(Connection* connection, std::string_view reason) {
  services_->metrics->OnConnectionClosed(reason);
  connections_.erase(connection);
}

void Shard::Tick() {
  services_->metrics->SetPppCounters(index_, ppp_counters_);
  services_->metrics->SetControlCounters(index_, control_counters_);
  services_->metrics->SetLinkCounters(index_, link_counters_);
  bool over = shutdown_deadline_ms_ != 0 && connections_.empty() && num_calls_ == 0;
  if (over || (shutdown_deadline_ms_ != 0 && SteadyMs() >= shutdown_deadline_ms_)) {
    for (auto copy = connections_; const auto& [key, connection] : copy) {
      connection->Abort();
    }
    loop_.stop();
    return;
  }
  tick_.expires_after(shutdown_deadline_ms_ == 0 ? kTick : kShutdownTick);
  tick_.async_wait([this](const asio::error_code& error) {
    if (!error) {
      Tick();
    }
  });
}

void Shard::Shutdown() {
  asio::post(loop_, [this] { BeginShutdown(); });
}

void Shard::BeginShutdown() {
  if (shutdown_deadline_ms_ != 0) {
    return;
  }
  shutdown_deadline_ms_ = SteadyMs() + kShutdownMs;
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    listener->Close();
  }
  for (auto copy = connections_; const auto& [key, connection] : copy) {
    connection->Shutdown();
  }
  Tick();
}

void Shard::Terminate(std::vector<uint64_t> ids, EndCause cause, std::string reason) {
  asio::post(loop_, [this, ids = std::move(ids), cause, reason = std::move(reason)] {
    for (uint64_t id : ids) {
      if (auto it = calls_by_id_.find(id); it != calls_by_id_.end()) {
        it->second->Terminate(cause, reason);
      }
    }
  });
}

void Shard::Reconfigure(std::shared_ptr<const ShardSettings> settings) {
  asio::post(loop_,
             [this, settings = std::move(settings)]() mutable { settings_ = std::move(settings); });
}

void Shard::Change(uint64_t id, CallChange change, CallChanged done) {
  asio::post(loop_, [this, id, change = std::move(change), done = std::move(done)]() mutable {
    auto it = calls_by_id_.find(id);
    if (it == calls_by_id_.end()) {
      return done(absl::NotFoundError("the call has ended"));
    }
    it->second->Change(std::move(change), std::move(done));
  });
}

void Shard::OnDataplaneUp() { dataplane_up_ = true; }

void Shard::OnDataplaneDown() {
  dataplane_up_ = false;
  for (auto copy = calls_by_id_; const auto& [id, call] : copy) {
    // An ended call may take others with it: look again.
    if (calls_by_id_.contains(id)) {
      call->OnDataplaneDown();
    }
  }
}

void Shard::OnFrames(std::vector<dataplane::v1::Frame> frames) {
  for (const dataplane::v1::Frame& frame : frames) {
    if (auto it = calls_by_handle_.find(frame.handle()); it != calls_by_handle_.end()) {
      it->second->OnFrame(
          {reinterpret_cast<const uint8_t*>(frame.data().data()), frame.data().size()});
    }
  }
}

void Shard::OnEvents(std::vector<dataplane::v1::Event> events) {
  for (const dataplane::v1::Event& event : events) {
    if (auto it = calls_by_handle_.find(event.handle()); it != calls_by_handle_.end()) {
      it->second->OnEvent(event.kind());
    }
  }
}

pptp::CallIdPool& Shard::CallIds(uint32_t local_address) {
  std::unique_ptr<pptp::CallIdPool>& pool = call_ids_[local_address];
  if (pool == nullptr) {
    pool = std::make_unique<pptp::CallIdPool>(static_cast<uint32_t>(index_),
                                              static_cast<uint32_t>(num_shards_),
                                              services_->call_id_rest_ms, RandomBelow);
  }
  return *pool;
}

uint16_t Shard::AllocateCallId(uint32_t local_address) {
  uint16_t call_id = dataplane_up_ ? CallIds(local_address).Allocate(SteadyMs()) : 0;
  if (call_id == 0) {
    services_->metrics->OnCallRefused(dataplane_up_ ? "no-call-id" : "data-plane");
    if (std::optional<uint64_t> left_out = dataplane_log_.Admit()) {
      spdlog::error("call refused: {}; {} more since the last such line",
                    dataplane_up_ ? "no Call ID is free at its local address"
                                  : "the data plane is not connected",
                    *left_out);
    }
  }
  return call_id;
}

void Shard::ReleaseCallId(uint32_t local_address, uint16_t call_id, bool used) {
  if (used) {
    CallIds(local_address).Release(call_id, SteadyMs());
  } else {
    CallIds(local_address).ReleaseUnused(call_id);
  }
}

void Shard::Insert(Call* call) {
  calls_by_handle_[call->handle()] = call;
  calls_by_id_[call->id()] = call;
}

void Shard::Erase(Call* call) {
  calls_by_handle_.erase(call->handle());
  calls_by_id_.erase(call->id());
}

}  // namespace culvert
