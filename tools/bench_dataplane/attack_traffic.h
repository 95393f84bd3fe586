// AttackTraffic: packets as an attacker would send them, beside those of good calls.
#pragma once

#include <span>
#include <string>

#include "tools/bench_dataplane/traffic.h"

namespace culvert::bench {

struct Attack {
  const char* name;
  bool needs_mppe;
  // Make turns a good packet of a victim's call, not encrypted yet, into one of the attack.
  void (*make)(Traffic* traffic, Client* victim, rte_mbuf* mbuf);
};
std::span<const Attack> Attacks();

class AttackTraffic {
 public:
  // Borrows traffic whose calls go upstream. The first half of the calls are the good ones; what is
  // forged as if it came from a call's peer is for the others.
  AttackTraffic(Traffic* traffic, const Attack& attack) : traffic_(traffic), attack_(attack) {}

  // Fill makes one packet in `one_good_of` a good one, at random places, all others attack; 0:
  // none. It gives the number of good ones.
  unsigned Fill(std::span<rte_mbuf* const> mbufs, unsigned one_good_of);

 private:
  Traffic* traffic_;
  const Attack& attack_;
};

}  // namespace culvert::bench
