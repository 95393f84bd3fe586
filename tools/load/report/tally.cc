#include "tools/load/report/tally.h"

namespace culvert::load {

const char* StageName(Stage stage) {
  switch (stage) {
    case Stage::kIdle:
      return "idle";
    case Stage::kConnect:
      return "connect";
    case Stage::kStart:
      return "start";
    case Stage::kRequest:
      return "call";
    case Stage::kLink:
      return "lcp";
    case Stage::kAuthentication:
      return "authentication";
    case Stage::kNetwork:
      return "network";
    case Stage::kUp:
      return "up";
    case Stage::kEnding:
      return "ending";
    case Stage::kOver:
      return "over";
  }
  return "";
}

}  // namespace culvert::load
