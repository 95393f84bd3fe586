// What culvertctl's commands do. Results go to standard output, errors to standard error; each
// answers the exit status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert::ctl {

struct Options {
  std::string socket;
  std::string output = "table";  // or json
  management::v1::Filter filter;
  bool all = false;
  double interval_s = 0;  // 0: not given
  std::optional<uint64_t> up_bps, down_bps;
  uint32_t count = 10;                    // packets to trace
  bool cancel = false, status = false;    // of a drain
  std::optional<double> deadline_s = {};  // of a drain, from now

  [[nodiscard]] bool json() const { return output == "json"; }
  [[nodiscard]] bool has_filter() const { return filter.ByteSizeLong() > 0; }
};

using CallsStub = management::v1::Calls::StubInterface;

int ListCalls(const Options& options, CallsStub* stub);
int GetCall(const Options& options, CallsStub* stub);     // options.filter.id
int WatchCalls(const Options& options, CallsStub* stub);  // until the server or the user ends it
int TerminateCalls(const Options& options, CallsStub* stub);
int SetRate(const Options& options, CallsStub* stub);  // options.filter.id

using DrainStub = management::v1::Drain::StubInterface;

int DrainGateway(const Options& options, DrainStub* stub);

using RadiusStub = management::v1::Radius::StubInterface;

int ShowRadius(const Options& options, RadiusStub* stub);
using ConfigurationStub = management::v1::Configuration::StubInterface;

int ReloadConfiguration(const Options& options, ConfigurationStub* stub);

using DataplaneStub = management::v1::Dataplane::StubInterface;

int ShowDataplane(const Options& options, DataplaneStub* stub);
int TraceCall(const Options& options, DataplaneStub* stub);  // options.filter.id

}  // namespace culvert::ctl
