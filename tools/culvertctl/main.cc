// culvertctl: the operator's command line over culvert-controlplane's management API.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>

#include "proto/config/address/address.h"
#include "tools/culvertctl/commands.h"
#include "tools/culvertctl/connection.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

std::string CheckAddress(const std::string& text) {
  if (config::ParseIpv4(text)) return "";
  return "\"" + text + "\" is not an IPv4 address such as 192.0.2.1";
}

std::string CheckId(const std::string& text) {
  if (text.size() == 16 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos) {
    return "";
  }
  return "\"" + text + "\" is not a call's id: 16 hex digits, see culvertctl calls";
}

void AddCommon(CLI::App* command, Options* options) {
  command->add_option("--socket", options->socket, "the control plane's management.socket")
      ->type_name("PATH");
  command->add_option("-o,--output", options->output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORM");
  command->add_flag_callback(
      "--json", [options] { options->output = "json"; }, "the same as --output json");
}

void AddRate(CLI::App* command, const char* name, std::optional<uint64_t>* value,
             const char* help) {
  command
      ->add_option_function<std::string>(
          name, [value](const std::string& text) { *value = ParseRate(text); }, help)
      ->check([](const std::string& text) {
        return ParseRate(text) ? std::string()
                               : "\"" + text + "\" is not a rate such as 64k, 1.5M, 0 (no limit)";
      })
      ->type_name("RATE");
}

CLI::Option* AddText(CLI::App* command, const char* name, std::string* value, const char* help) {
  return command->add_option_function<std::string>(
      name, [value](const std::string& text) { *value = text; }, help);
}

void AddFilter(CLI::App* command, Options* options) {
  management::v1::Filter* filter = &options->filter;
  AddText(command, "--id", filter->mutable_id(), "the call with this id")
      ->check(CheckId)
      ->type_name("ID");
  AddText(command, "--user", filter->mutable_user(), "calls of this user")->type_name("USER");
  AddText(command, "--peer", filter->mutable_peer_address(), "calls from this outer address")
      ->check(CheckAddress)
      ->type_name("ADDRESS");
  AddText(command, "--client", filter->mutable_client_address(),
          "the call that has this inner address")
      ->check(CheckAddress)
      ->type_name("ADDRESS");
}

// AddId is the id as an argument.
CLI::Option* AddId(CLI::App* command, Options* options) {
  return AddText(command, "ID", options->filter.mutable_id(), "the call's id")->check(CheckId);
}

int Usage(const char* text) {
  std::fprintf(stderr, "culvertctl: %s\n", text);
  return kUsage;
}

// Run connects and runs `command`.
int Run(const Options& options, int (*command)(const Options&, CallsStub*)) {
  const auto channel = Connect(options.socket.empty() ? DefaultSocket() : options.socket);
  if (channel == nullptr) return kFailed;
  return command(options, management::v1::Calls::NewStub(channel).get());
}

int Run(const Options& options, int (*command)(const Options&, DataplaneStub*)) {
  const auto channel = Connect(options.socket.empty() ? DefaultSocket() : options.socket);
  if (channel == nullptr) return kFailed;
  return command(options, management::v1::Dataplane::NewStub(channel).get());
}

int Run(const Options& options, int (*command)(const Options&, RadiusStub*)) {
  const auto channel = Connect(options.socket.empty() ? DefaultSocket() : options.socket);
  if (channel == nullptr) return kFailed;
  return command(options, management::v1::Radius::NewStub(channel).get());
}

int Run(const Options& options, int (*command)(const Options&, DrainStub*)) {
  const auto channel = Connect(options.socket.empty() ? DefaultSocket() : options.socket);
  if (channel == nullptr) return kFailed;
  return command(options, management::v1::Drain::NewStub(channel).get());
}

int Run(const Options& options, int (*command)(const Options&, ConfigurationStub*)) {
  const auto channel = Connect(options.socket.empty() ? DefaultSocket() : options.socket);
  if (channel == nullptr) return kFailed;
  return command(options, management::v1::Configuration::NewStub(channel).get());
}

CLI::App* DrainCommand(CLI::App* app, Options* options) {
  CLI::App* command = app->add_subcommand(
      "drain", "take no new calls; those that are up go on, or are ended after --in");
  AddCommon(command, options);
  CLI::Option* in = command
                        ->add_option_function<double>(
                            "--in", [options](double value) { options->deadline_s = value; },
                            "seconds after which the calls that are left are ended")
                        ->check(CLI::Range(0.0, 2592000.0))
                        ->type_name("SECONDS");
  CLI::Option* cancel = command->add_flag("--cancel", options->cancel, "take new calls again");
  command->add_flag("--status", options->status, "only say how far it is")
      ->excludes(in)
      ->excludes(cancel);
  cancel->excludes(in);
  return command;
}

// SetRateCommand and TraceCommand add the commands; the result is for parsed().
CLI::App* SetRateCommand(CLI::App* calls, Options* options) {
  CLI::App* command = calls->add_subcommand("set-rate", "change what a call may send and receive");
  AddCommon(command, options);
  AddId(command, options)->required();
  AddRate(command, "--up", &options->up_bps, "bits a second from the client; 0: no limit");
  AddRate(command, "--down", &options->down_bps, "bits a second to the client; 0: no limit");
  return command;
}

CLI::App* TraceCommand(CLI::App* app, Options* options) {
  CLI::App* command =
      app->add_subcommand("trace", "show the steps that the next packets of a call go through");
  AddCommon(command, options);
  AddText(command, "--call", options->filter.mutable_id(), "the call's id")
      ->check(CheckId)
      ->required()
      ->type_name("ID");
  command->add_option("--count", options->count, "packets; default 10")
      ->check(CLI::Range(1, 10000))
      ->type_name("N");
  return command;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Shows and steers Culvert through culvert-controlplane", "culvertctl");
  app.set_version_flag("--version", "culvertctl " CULVERT_VERSION);
  app.add_option("--socket", options.socket, "the control plane's management.socket")
      ->type_name("PATH");
  app.require_subcommand(1);

  CLI::App* calls = app.add_subcommand("calls", "live calls; without a command: their list");
  CLI::App* list = calls->add_subcommand("list", "list calls");
  CLI::App* get = calls->add_subcommand("get", "show one call");
  CLI::App* watch = calls->add_subcommand(
      "watch", "follow calls: a live table in a terminal, else a line for each event");
  CLI::App* set_rate = SetRateCommand(calls, &options);
  CLI::App* trace = TraceCommand(&app, &options);
  CLI::App* drain = DrainCommand(&app, &options);
  CLI::App* dataplane = app.add_subcommand(
      "dataplane", "the data plane: workers and their stages, drops, ports, packet buffers");
  AddCommon(dataplane, &options);
  CLI::App* radius = app.add_subcommand("radius", "the RADIUS servers: state, counts, times");
  AddCommon(radius, &options);
  CLI::App* reload = app.add_subcommand(
      "reload", "read the configuration and the users again; calls that are up go on");
  AddCommon(reload, &options);
  CLI::App* terminate = app.add_subcommand("terminate", "end calls in good order");
  for (CLI::App* command : {calls, list, get, watch, terminate}) AddCommon(command, &options);
  for (CLI::App* command : {calls, list, watch, terminate}) AddFilter(command, &options);
  AddId(get, &options)->required();
  AddId(terminate, &options);
  terminate->add_flag("--all", options.all, "all calls");
  watch
      ->add_option("--interval", options.interval_s,
                   "seconds between counters; lines and JSON have none without it")
      ->check(CLI::Range(0.2, 3600.0))
      ->type_name("SECONDS");
  calls->require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;  // 0: --help, --version
  }

  if (terminate->parsed()) {
    if (options.all == options.has_filter()) {
      return Usage("terminate: name one call, or --user, --peer, --client, or else --all");
    }
    return Run(options, TerminateCalls);
  }
  if (drain->parsed()) return Run(options, DrainGateway);
  if (reload->parsed()) return Run(options, ReloadConfiguration);
  if (dataplane->parsed()) return Run(options, ShowDataplane);
  if (radius->parsed()) return Run(options, ShowRadius);
  if (trace->parsed()) return Run(options, TraceCall);
  if (set_rate->parsed()) {
    if (!options.up_bps && !options.down_bps) {
      return Usage("calls set-rate: give --up, --down or both");
    }
    return Run(options, SetRate);
  }
  if (get->parsed()) {
    if (calls->count("--id") + calls->count("--user") + calls->count("--peer") +
            calls->count("--client") >
        0) {
      return Usage("calls get: takes an id and no filter");
    }
    return Run(options, GetCall);
  }
  return Run(options, watch->parsed() ? WatchCalls : ListCalls);
}

}  // namespace
}  // namespace culvert::ctl

int main(int argc, char** argv) {
  const int status = culvert::ctl::Main(argc, argv);
  // A script that gets half a list is to know.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "culvertctl: cannot write to standard output\n");
    return status == culvert::ctl::kOk ? culvert::ctl::kFailed : status;
  }
  return status;
}
