#include "tools/bench_dataplane/attack_traffic.h"

#include <rte_mbuf.h>

#include <array>

#include "proto/wire/ppp.h"
#include "tools/bench_dataplane/frames.h"

namespace culvert::bench {
namespace {

uint8_t* Frame(rte_mbuf* mbuf) { return rte_pktmbuf_mtod(mbuf, uint8_t*); }
uint8_t* Outer(rte_mbuf* mbuf) { return Frame(mbuf) + kEthernetLen; }
uint8_t* Gre(rte_mbuf* mbuf) { return Frame(mbuf) + kGreOffset; }
constexpr size_t kCallIdAt = 6;
constexpr size_t kSequenceAt = 8;

// AnySource: of 100.64/10, where no call's peer is.
uint32_t AnySource(Traffic* traffic) {
  return dataplane::Ip(100, 64, 0, 0) | traffic->Random(1U << 22);
}

void GarbageGre(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  SetAddresses(Outer(mbuf), AnySource(traffic), victim->local);
  for (uint8_t* at = Gre(mbuf); at < Frame(mbuf) + rte_pktmbuf_data_len(mbuf); ++at) {
    *at = static_cast<uint8_t>(traffic->Random(256));
  }
}

// The right form, and an id above those of all calls.
void UnknownCall(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  SetAddresses(Outer(mbuf), AnySource(traffic), victim->local);
  const uint32_t first_free = traffic->num_calls() + 1;
  wire::StoreBe16(Gre(mbuf) + kCallIdAt,
                  static_cast<uint16_t>(first_free + traffic->Random(65536 - first_free)));
}

void WrongPeer(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  SetAddresses(Outer(mbuf), AnySource(traffic), victim->local);
}

void SetFragment(Traffic* traffic, rte_mbuf* mbuf, uint16_t flags_and_offset) {
  wire::StoreBe16(Outer(mbuf) + 4, static_cast<uint16_t>(traffic->Random(65536)));
  wire::StoreBe16(Outer(mbuf) + 6, flags_and_offset);
  FinishIpv4(Outer(mbuf));
}

// The payload of a fragment that is not the last is a multiple of 8 octets (RFC 791 s3.2).
void CutToEights(rte_mbuf* mbuf) {
  const auto payload = static_cast<uint16_t>((rte_pktmbuf_data_len(mbuf) - kGreOffset) & ~7U);
  rte_pktmbuf_trim(mbuf, static_cast<uint16_t>(rte_pktmbuf_data_len(mbuf) - kGreOffset - payload));
  wire::StoreBe16(Outer(mbuf) + 2, static_cast<uint16_t>(kIpLen + payload));
}

void LastFragments(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  SetAddresses(Outer(mbuf), AnySource(traffic), victim->local);
  SetFragment(traffic, mbuf, static_cast<uint16_t>(64 + traffic->Random(64)));
}

// As if from the call's peer: its datagrams never become whole.
void FirstFragments(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  constexpr uint16_t kMoreFragments = 0x2000;
  CutToEights(mbuf);
  SetFragment(traffic, mbuf, kMoreFragments);
}

// The number that the call's latest packet had; Fill has counted one on.
void Duplicate(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  wire::StoreBe32(Gre(mbuf) + kSequenceAt, --victim->sequence - 1);
}

void StaleSequence(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  wire::StoreBe32(Gre(mbuf) + kSequenceAt, --victim->sequence - 1000 - traffic->Random(1U << 20));
}

void FarSequence(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  wire::StoreBe32(Gre(mbuf) + kSequenceAt, --victim->sequence + 100000 + traffic->Random(1U << 30));
}

// The number fits, the count hardly ever does, and the text is none.
void ForgedCount(Traffic* traffic, Client* victim, rte_mbuf* mbuf) {
  constexpr size_t kTextAt = kPppOffset + 6;
  for (uint8_t* at = Frame(mbuf) + kTextAt; at < Frame(mbuf) + kTextAt + 24; ++at) {
    *at = static_cast<uint8_t>(traffic->Random(256));
  }
  wire::StoreBe16(Frame(mbuf) + kPppOffset + 4,
                  static_cast<uint16_t>(wire::ppp::mppe::kFlushed | wire::ppp::mppe::kEncrypted |
                                        traffic->Random(4096)));
}

constexpr std::array kAttacks = {
    Attack{"garbage_gre", false, GarbageGre},
    Attack{"unknown_call", false, UnknownCall},
    Attack{"wrong_peer", false, WrongPeer},
    Attack{"last_fragments", false, LastFragments},
    Attack{"first_fragments", false, FirstFragments},
    Attack{"duplicate", false, Duplicate},
    Attack{"stale_sequence", false, StaleSequence},
    Attack{"far_sequence", false, FarSequence},
    Attack{"forged_count", true, ForgedCount},
};

}  // namespace

std::span<const Attack> Attacks() { return kAttacks; }

unsigned AttackTraffic::Fill(std::span<rte_mbuf* const> mbufs, unsigned one_good_of) {
  const unsigned half = traffic_->num_calls() / 2;
  unsigned num_good = 0;
  for (rte_mbuf* mbuf : mbufs) {
    if (one_good_of != 0 && traffic_->Random(one_good_of) == 0) {
      traffic_->FillOne(traffic_->Random(half), mbuf);
      ++num_good;
      continue;
    }
    const unsigned victim = half + traffic_->Random(traffic_->num_calls() - half);
    const SealState seal = traffic_->client(victim).seal;
    traffic_->FillOne(victim, mbuf);
    traffic_->Finish();
    traffic_->client(victim).seal = seal;  // the client knows nothing of it
    attack_.make(traffic_, &traffic_->client(victim), mbuf);
  }
  traffic_->Finish();
  return num_good;
}

}  // namespace culvert::bench
