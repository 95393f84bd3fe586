#include "dataplane/worker/trace/trace_text.h"

#include <absl/strings/str_cat.h>
#include <rte_cycles.h>

#include <cctype>
#include <string>
#include <vector>

#include "dataplane/worker/stages.h"

namespace culvert::dataplane {
namespace {

struct StageTexts {
  std::string go_to;
  std::vector<std::string> steps;
};

// "EthernetInput" becomes "ethernet_input".
std::string SnakeCase(const char* name) {
  std::string text;
  for (const char* c = name; *c != '\0'; ++c) {
    if (std::isupper(static_cast<unsigned char>(*c)) != 0 && !text.empty()) {
      text += '_';
    }
    text += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  }
  return text;
}

std::vector<StageTexts> MakeTexts() {
  std::vector<StageTexts> texts;
  for (unsigned i = 0; i < kNumStages; ++i) {
    const StageSteps& stage = StepsOf(static_cast<Stage>(i));
    StageTexts& text = texts.emplace_back();
    text.go_to = absl::StrCat("to ", stage.name);
    for (const NamedStep& step : stage.steps) {
      text.steps.push_back(SnakeCase(step.name));
    }
    if (stage.run == nullptr) {
      text.steps.emplace_back(stage.name);
    }
  }
  return texts;
}

const StageTexts& TextsOf(Stage stage) {
  static const std::vector<StageTexts> texts = MakeTexts();
  return texts[static_cast<size_t>(stage)];
}

const char* TextOf(Verdict verdict) {
  switch (verdict.kind()) {
    case Verdict::Kind::kNext:
      return "next";
    case Verdict::Kind::kGoTo:
      return TextsOf(verdict.stage()).go_to.c_str();
    case Verdict::Kind::kHold:
      return "hold";
    case Verdict::Kind::kDrop:
      return "drop";
    case Verdict::Kind::kConsume:
      return "consume";
    case Verdict::Kind::kPuntPort:
      return "punt to the port's TAP";
    case Verdict::Kind::kPuntClients:
      return "punt to the clients' TUN";
    case Verdict::Kind::kPuntFrame:
      return "punt to the control plane";
    case Verdict::Kind::kHandOver:
      return "hand over to the call's worker";
    case Verdict::Kind::kTransmit:
      return "transmit";
  }
  return "";
}

}  // namespace

TracedStep Describe(const Tracer::Step& step) {
  const bool dropped = step.verdict.kind() == Verdict::Kind::kDrop;
  return {TextsOf(step.stage).steps[step.index].c_str(), TextOf(step.verdict),
          dropped ? Describe(step.verdict.reason()).name : nullptr};
}

TracedPacket Describe(const Tracer::Record& record, uint64_t now_tsc, int64_t now_ns) {
  TracedPacket packet;
  packet.handle = record.handle;
  const double ago_ns =
      static_cast<double>(now_tsc - record.tsc) * 1e9 / static_cast<double>(rte_get_tsc_hz());
  packet.time_ns = now_ns - static_cast<int64_t>(ago_ns);
  packet.len = record.len;
  packet.downstream = record.downstream;
  for (unsigned i = 0; i < record.num_steps; ++i) {
    packet.steps.push_back(Describe(record.steps[i]));
  }
  return packet;
}

}  // namespace culvert::dataplane
