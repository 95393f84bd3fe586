#include "controlplane/ppp/negotiation/automaton.h"

#include <gtest/gtest.h>

#include <cctype>
#include <sstream>
#include <string>
#include <vector>

namespace culvert::ppp {
namespace {

// RFC 1661 s4.1 as it is printed: actions, then the number of the next state.
constexpr char kPrinted[] = R"(
Up    2    irc,scr/6    -    -    -    -    -    -    -    -
Down  -    -    0    tls/1    0    1    1    1    1    tld/1
Open  tls/1    1    irc,scr/6    3    5    5    6    7    8    9
Close 0    tlf/0    2    2    4    4    irc,str/4    irc,str/4    irc,str/4    tld,irc,str/4
TO+   -    -    -    -    str/4    str/5    scr/6    scr/6    scr/8    -
TO-   -    -    -    -    tlf/2    tlf/3    tlf/3    tlf/3    tlf/3    -
RCR+  -    -    sta/2    irc,scr,sca/8    4    5    sca/8    sca,tlu/9    sca/8    tld,scr,sca/8
RCR-  -    -    sta/2    irc,scr,scn/6    4    5    scn/6    scn/7    scn/6    tld,scr,scn/6
RCA   -    -    sta/2    sta/3    4    5    irc/7    scr/6    irc,tlu/9    tld,scr/6
RCN   -    -    sta/2    sta/3    4    5    irc,scr/6    scr/6    irc,scr/8    tld,scr/6
RTR   -    -    sta/2    sta/3    sta/4    sta/5    sta/6    sta/6    sta/6    tld,zrc,sta/5
RTA   -    -    2    3    tlf/2    tlf/3    6    6    8    tld,scr/6
RUC   -    -    scj/2    scj/3    scj/4    scj/5    scj/6    scj/7    scj/8    scj/9
RXJ+  -    -    2    3    4    5    6    6    8    9
RXJ-  -    -    tlf/2    tlf/3    tlf/2    tlf/3    tlf/3    tlf/3    tlf/3    tld,irc,str/5
RXR   -    -    2    3    4    5    6    7    8    ser/9
)";

std::string Print(const Transition& transition) {
  if (!transition.possible) {
    return "-";
  }
  constexpr const char* kNames[] = {"",    "tlu", "tld", "tls", "tlf", "irc", "zrc",
                                    "scr", "sca", "scn", "str", "sta", "scj", "ser"};
  std::string text;
  for (Action action : transition.actions) {
    if (action != Action::kNone) {
      text += (text.empty() ? "" : ",") + std::string(kNames[static_cast<size_t>(action)]);
    }
  }
  return text + (text.empty() ? "" : "/") + std::to_string(static_cast<int>(transition.next));
}

TEST(Automaton, EveryEventInEveryState) {
  std::istringstream printed(kPrinted);
  for (size_t event = 0; event < kNumEvents; ++event) {
    std::string name;
    ASSERT_TRUE(printed >> name);
    for (size_t state = 0; state < kNumStates; ++state) {
      std::string cell;
      ASSERT_TRUE(printed >> cell);
      EXPECT_EQ(Print(Lookup(static_cast<State>(state), static_cast<Event>(event))), cell)
          << name << " in " << Name(static_cast<State>(state));
    }
  }
  std::string rest;
  EXPECT_FALSE(printed >> rest);
}

TEST(Automaton, ActionsHaveNoGaps) {
  for (size_t event = 0; event < kNumEvents; ++event) {
    for (size_t state = 0; state < kNumStates; ++state) {
      const auto& actions = Lookup(static_cast<State>(state), static_cast<Event>(event)).actions;
      EXPECT_FALSE(actions[0] == Action::kNone && actions[1] != Action::kNone);
      EXPECT_FALSE(actions[1] == Action::kNone && actions[2] != Action::kNone);
    }
  }
}

TEST(Automaton, TimerRunsInStatesFourToEight) {
  for (size_t state = 0; state < kNumStates; ++state) {
    EXPECT_EQ(TimerRuns(static_cast<State>(state)), state >= 4 && state <= 8);
  }
}

}  // namespace
}  // namespace culvert::ppp
