// `culvertctl radius`.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "tools/culvertctl/commands.h"
#include "tools/culvertctl/connection.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

using management::v1::RadiusServer;

constexpr std::chrono::seconds kTimeout(10);
constexpr auto kRight = Table::Align::kRight;

std::string StateText(const RadiusServer& server) {
  switch (server.state()) {
    case RadiusServer::ALIVE:
      return "ALIVE";
    case RadiusServer::DEAD:
      return "DEAD";
    default:
      return "?";
  }
}

// Milliseconds: "-" when there was no answer yet.
std::string Milliseconds(bool has, const google::protobuf::Duration& duration) {
  if (!has) return "-";
  return fmt::format("{:.1f}", static_cast<double>(duration.seconds()) * 1e3 +
                                   static_cast<double>(duration.nanos()) / 1e6);
}

Table ServerTable(const management::v1::ListRadiusServersResponse& response) {
  Table table({{"NAME"},
               {"SERVICE"},
               {"ENDPOINT"},
               {"STATE"},
               {"FOR", kRight},
               {"PRIORITY", kRight},
               {"WEIGHT", kRight},
               {"OUTSTANDING", kRight},
               {"REQUESTS", kRight},
               {"REPEATED", kRight},
               {"ACCEPTED", kRight},
               {"REJECTED", kRight},
               {"CHALLENGED", kRight},
               {"TIMEOUTS", kRight},
               {"BAD REPLIES", kRight},
               {"P50 MS", kRight},
               {"P99 MS", kRight},
               {"SIGNED"}});
  for (const RadiusServer& server : response.servers()) {
    table.AddRow({server.name(), server.service(), server.endpoint(), StateText(server),
                  FormatDuration(server.in_state()), std::to_string(server.priority()),
                  std::to_string(server.weight()), std::to_string(server.outstanding()),
                  std::to_string(server.requests()), std::to_string(server.retransmissions()),
                  std::to_string(server.accepts()), std::to_string(server.rejects()),
                  std::to_string(server.challenges()), std::to_string(server.timeouts()),
                  std::to_string(server.bad_replies()),
                  Milliseconds(server.has_time_p50(), server.time_p50()),
                  Milliseconds(server.has_time_p99(), server.time_p99()),
                  server.message_authenticator_seen() ? "yes" : "-"});
  }
  return table;
}

}  // namespace

int ShowRadius(const Options& options, RadiusStub* stub) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
  management::v1::ListRadiusServersResponse response;
  const grpc::Status status = stub->ListServers(&context, {}, &response);
  if (!status.ok()) return Report(status);
  if (options.json()) {
    std::printf("%s", ToJson(response, true).c_str());
  } else if (response.servers().empty()) {
    std::printf("there are no RADIUS servers\n");
  } else {
    for (const std::string& line : ServerTable(response).Lines()) std::printf("%s\n", line.c_str());
  }
  return kOk;
}

}  // namespace culvert::ctl
