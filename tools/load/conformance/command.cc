// culvert-load conformance: tries a PPTP server case by case.
#include <fmt/format.h>

#include <cstdio>

#include "controlplane/crypto/primitives.h"
#include "proto/config/address/address.h"
#include "tools/load/conformance/report.h"
#include "tools/load/conformance/session/tunnel.h"
#include "tools/load/conformance/survey.h"
#include "tools/load/report/write_file.h"
#include "tools/load/subcommand.h"

namespace culvert::load {

namespace conformance {
namespace {

struct Wish {
  std::string server, source, other_source;
  std::vector<std::string> patterns;
  std::string json, junit, markdown;
  Target target;
  unsigned jobs = 4;
  bool list = false, quick = false;
};

int CannotStart(const std::string& why) {
  std::fputs(("culvert-load conformance: " + why + "\n").c_str(), stderr);
  return kCannotStart;
}

// Resolve fills the addresses of wish.target; an empty string, or what is wrong with them.
std::string Resolve(Wish* wish) {
  const auto endpoint = config::ParseEndpoint(
      wish->server.find(':') == std::string::npos ? wish->server + ":1723" : wish->server);
  if (!endpoint) {
    return "\"" + wish->server + "\" is not an address, or address and port";
  }
  wish->target.server = endpoint->address;
  wish->target.port = endpoint->port;
  for (const auto& [text, to] : {std::pair{&wish->source, &wish->target.source},
                                 std::pair{&wish->other_source, &wish->target.other_source}}) {
    if (text->empty()) {
      continue;
    }
    const auto address = config::ParseIpv4(*text);
    if (!address) {
      return "\"" + *text + "\" is not an address";
    }
    *to = *address;
  }
  return {};
}

int Run(Wish wish) {
  if (wish.list && !wish.server.empty()) {
    wish.patterns.insert(wish.patterns.begin(), wish.server);  // no server is needed
  }
  std::string unknown;
  const std::vector<const Case*> cases = Select(wish.patterns, &unknown);
  if (!unknown.empty()) {
    return CannotStart("no case is called or matches \"" + unknown + "\" (see --list)");
  }
  if (wish.list) {
    std::fputs(FormatList(cases).c_str(), stdout);
    return kHeld;
  }
  if (wish.server.empty()) {
    return CannotStart("which server?");
  }
  for (const std::string& why : {Resolve(&wish), Tunnel::CanOpen()}) {
    if (!why.empty()) {
      return CannotStart(why);
    }
  }
  for (const std::string& path : {wish.json, wish.junit, wish.markdown}) {
    if (const std::string why = WriteFile(path, ""); !why.empty()) {
      return CannotStart(why);  // not only after minutes of cases
    }
  }
  if (const absl::Status status = crypto::SelfTest(); !status.ok()) {
    return CannotStart(std::string(status.message()));
  }
  Survey survey;
  if (const std::string why = TakeSurvey(wish.target, &survey); !why.empty()) {
    return CannotStart(why);
  }
  const std::vector<Outcome> outcomes =
      RunCases(cases, wish.target, survey, wish.jobs, wish.quick, [](const Outcome& outcome) {
        std::fputs((FormatLine(outcome) + "\n").c_str(), stdout);
        std::fflush(stdout);
      });
  const Totals totals = Count(outcomes);
  std::fputs((FormatTotals(totals) + "\n").c_str(), stdout);
  const std::string server = config::FormatEndpoint({wish.target.server, wish.target.port});
  for (const std::string& why : {WriteFile(wish.json, FormatJson(server, survey, outcomes)),
                                 WriteFile(wish.junit, FormatJunit(server, outcomes)),
                                 WriteFile(wish.markdown, FormatMarkdown(survey, outcomes))}) {
    if (!why.empty()) {
      return CannotStart(why);
    }
  }
  return totals.violates == 0 ? kHeld : kNotHeld;
}

}  // namespace
}  // namespace conformance

void AddConformance(CLI::App* app, Chosen* chosen) {
  CLI::App* command = app->add_subcommand("conformance", "try a PPTP server case by case");
  auto wish = std::make_shared<conformance::Wish>();
  command->add_option("server", wish->server, "the server's address, or ADDRESS:PORT");
  command->add_option("cases", wish->patterns,
                      "only these: names, groups, or patterns such as 'gre/sequence-*'");
  command->add_flag("--list", wish->list, "print the cases, one a line, and end");
  command->add_option("--user", wish->target.user, "a user of the server");
  command->add_option("--password", wish->target.password, "and the password");
  command->add_option("--wrong-user", wish->target.wrong_user, "a name that no user has")
      ->capture_default_str();
  command->add_option("--wrong-password", wish->target.wrong_password, "not the user's password")
      ->capture_default_str();
  command->add_option("--expired-user", wish->target.expired_user,
                      "a user whose password has expired: it is changed, by MS-CHAPv2");
  command->add_option("--expired-eap-user", wish->target.expired_eap_user,
                      "another such user, for EAP-MSCHAPv2");
  command->add_option("--expired-password", wish->target.expired_password,
                      "the password of both, which has expired");
  command->add_option("--new-password", wish->target.new_password, "their new one");
  command->add_option("--source", wish->source, "our address");
  command->add_option("--other-source", wish->other_source,
                      "a second address of ours, for packets that the server must not take");
  command->add_option("--jobs,-j", wish->jobs, "cases at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--wait", wish->target.wait_ms, "ms to wait for an answer")
      ->check(CLI::Range(100, 60'000))
      ->capture_default_str();
  command
      ->add_option("--quiet-time", wish->target.quiet_ms,
                   "ms to wait for an answer that must not come")
      ->check(CLI::Range(50, 60'000))
      ->capture_default_str();
  command->add_flag("--quick", wish->quick, "skip the cases that wait for the server's timers");
  command->add_option("--json", wish->json, "write the results to this file as JSON");
  command->add_option("--junit", wish->junit, "write them as JUnit XML");
  command->add_option("--markdown", wish->markdown, "write them as a Markdown table");
  command->callback([chosen, wish] { *chosen = [wish] { return conformance::Run(*wish); }; });
}

}  // namespace culvert::load
