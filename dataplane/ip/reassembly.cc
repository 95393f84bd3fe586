#include "dataplane/ip/reassembly.h"

#include <rte_jhash.h>
#include <rte_random.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

namespace culvert::dataplane {
namespace {

constexpr uint16_t kHeaderLen = wire::ip::kIpv4HeaderLen;

}  // namespace

Reassembly::Reassembly(const Options& options)
    : timeout_ms_(options.timeout_ms),
      seed_(static_cast<uint32_t>(rte_rand())),
      sets_(std::max(1U, std::bit_floor(options.max_packets) / kWays)),
      datagrams_(sets_.size() * kWays) {}

Reassembly::~Reassembly() {
  for (size_t set = 0; set < sets_.size(); ++set) {
    for (unsigned way = 0; way < kWays; ++way) {
      Free(set, way);
    }
  }
}

void Reassembly::Free(size_t set, unsigned way) {
  Key& key = sets_[set].keys[way];
  if (key.state != State::kFree) {
    key.state = State::kFree;
    rte_pktmbuf_free(At(set, way).mbuf);
    --num_held_;
  }
}

void Reassembly::FreeExpired(size_t set, uint32_t now_ms) {
  for (unsigned way = 0; way < kWays; ++way) {
    const Key& key = sets_[set].keys[way];
    if (key.state != State::kFree && now_ms - key.since_ms >= timeout_ms_) {
      Free(set, way);
      ++num_expired_;
    }
  }
}

unsigned Reassembly::Expire(uint32_t now_ms) {
  if (num_held_ > 0 && now_ms != last_round_ms_) {
    last_round_ms_ = now_ms;
    FreeExpired(next_set_, now_ms);
    next_set_ = (next_set_ + 1) % sets_.size();
  }
  const unsigned num = num_expired_;
  num_expired_ = 0;
  return num;
}

Reassembly::Result Reassembly::Add(rte_mbuf* fragment, const wire::ip::Ipv4Header& header,
                                   uint16_t ip_offset, uint32_t now_ms) {
  const unsigned offset = (header.fragment & 0x1fffU) * kBlockLen;
  const unsigned len = header.total_len - header.header_len;
  const bool more = (header.fragment & 0x2000) != 0;
  if (len == 0 || offset + len > kMaxPayload || (more && len % kBlockLen != 0) ||
      (offset == 0 && len < kMinFirstPayload)) {
    return {Outcome::kBad, false, nullptr};
  }
  const Piece piece{static_cast<uint16_t>(offset), static_cast<uint16_t>(offset + len), !more};
  const size_t set =
      rte_jhash_2words(header.source, header.destination, seed_) & (sets_.size() - 1);
  FreeExpired(set, now_ms);
  const auto* octets = rte_pktmbuf_mtod_offset(fragment, const uint8_t*, ip_offset);
  const uint16_t id = wire::LoadBe16(octets + 4);
  for (unsigned way = 0; way < kWays; ++way) {
    Key& key = sets_[set].keys[way];
    if (key.state == State::kFree || key.source != header.source || key.id != id ||
        key.destination != header.destination) {
      continue;
    }
    Datagram& datagram = At(set, way);
    const Outcome outcome = Mark(&datagram, piece);
    if (outcome == Outcome::kOverlap) {
      Free(set, way);
    }
    if (outcome != Outcome::kCopied) {
      return {outcome, false, nullptr};
    }
    std::memcpy(rte_pktmbuf_mtod_offset(datagram.mbuf, uint8_t*,
                                        datagram.ip_offset + kHeaderLen + piece.offset),
                octets + header.header_len, len);
    key.state = piece.offset == 0 ? State::kKnown : key.state;
    if (datagram.total == 0 ||
        datagram.num_blocks != (datagram.total + kBlockLen - 1) / kBlockLen) {
      return {Outcome::kCopied, false, nullptr};
    }
    return {Outcome::kComplete, false, Finish(set, way)};
  }
  return Begin(set, fragment, header, ip_offset, piece, now_ms);
}

// MakeRoom finds a free way; what has no first fragment goes before what has one, the older first,
// and a newcomer without makes room among its like only.
bool Reassembly::MakeRoom(size_t set, bool known, unsigned* way, bool* evicted) {
  std::optional<unsigned> free;
  std::optional<unsigned> oldest_known;
  std::optional<unsigned> oldest_unknown;
  unsigned num_unknown = 0;
  const auto& keys = sets_[set].keys;
  for (unsigned i = 0; i < kWays; ++i) {
    if (keys[i].state == State::kFree) {
      free = i;
      continue;
    }
    num_unknown += keys[i].state == State::kUnknown ? 1 : 0;
    auto& oldest = keys[i].state == State::kUnknown ? oldest_unknown : oldest_known;
    if (!oldest || static_cast<int32_t>(keys[i].since_ms - keys[*oldest].since_ms) < 0) {
      oldest = i;
    }
  }
  if (free && (known || num_unknown < kMaxUnknown)) {
    *way = *free;
    return true;
  }
  if (!oldest_unknown && !known) {
    return false;
  }
  *way = oldest_unknown ? *oldest_unknown : *oldest_known;
  *evicted = true;
  Free(set, *way);
  return true;
}

// Begin makes the fragment's own mbuf the datagram's.
Reassembly::Result Reassembly::Begin(size_t set, rte_mbuf* fragment,
                                     const wire::ip::Ipv4Header& header, uint16_t ip_offset,
                                     const Piece& piece, uint32_t now_ms) {
  const int room = fragment->buf_len - fragment->data_off - ip_offset - kHeaderLen;
  if (piece.end > room) {
    return {Outcome::kBad, false, nullptr};
  }
  Result result{Outcome::kHeld, false, nullptr};
  const bool known = piece.offset == 0;
  unsigned way = 0;
  if (!MakeRoom(set, known, &way, &result.evicted)) {
    return {Outcome::kFull, false, nullptr};
  }
  auto* octets = rte_pktmbuf_mtod_offset(fragment, uint8_t*, ip_offset);
  Key& key = sets_[set].keys[way];
  key = {header.source, header.destination, now_ms, wire::LoadBe16(octets + 4),
         known ? State::kKnown : State::kUnknown};
  ++num_held_;
  Datagram& datagram = At(set, way);
  datagram = {};
  datagram.mbuf = fragment;
  datagram.ip_offset = ip_offset;
  datagram.room = static_cast<uint16_t>(std::min<int>(room, kMaxPayload));
  Mark(&datagram, piece);
  std::memmove(octets + kHeaderLen + piece.offset, octets + header.header_len,
               piece.end - piece.offset);
  return result;
}

// Mark notes what has come. kCopied: it is new and in its place.
Reassembly::Outcome Reassembly::Mark(Datagram* datagram, const Piece& piece) {
  if (piece.end > datagram->room) {
    return Outcome::kBad;
  }
  if ((datagram->total != 0 &&
       (piece.end > datagram->total || (piece.last && piece.end != datagram->total))) ||
      (piece.last && piece.end < datagram->highest)) {
    return Outcome::kOverlap;  // two ends, or something beyond the end
  }
  unsigned num_there = 0;
  for (unsigned block = piece.FirstBlock(); block < piece.EndBlock(); ++block) {
    num_there += (datagram->blocks[block / 64] >> block % 64 & 1) != 0 ? 1 : 0;
  }
  const unsigned num = piece.EndBlock() - piece.FirstBlock();
  if (num_there != 0) {
    return num_there == num ? Outcome::kDuplicate : Outcome::kOverlap;
  }
  for (unsigned block = piece.FirstBlock(); block < piece.EndBlock(); ++block) {
    datagram->blocks[block / 64] |= uint64_t{1} << block % 64;
  }
  datagram->num_blocks = static_cast<uint16_t>(datagram->num_blocks + num);
  datagram->highest = std::max(datagram->highest, piece.end);
  if (piece.last) {
    datagram->total = piece.end;
  }
  return Outcome::kCopied;
}

// Finish writes the header of the whole and lets go of its mbuf.
rte_mbuf* Reassembly::Finish(size_t set, unsigned way) {
  const Datagram& datagram = At(set, way);
  rte_mbuf* mbuf = datagram.mbuf;
  sets_[set].keys[way].state = State::kFree;
  --num_held_;
  auto* octets = rte_pktmbuf_mtod_offset(mbuf, uint8_t*, datagram.ip_offset);
  octets[0] = 0x45;
  wire::StoreBe16(octets + 2, static_cast<uint16_t>(kHeaderLen + datagram.total));
  wire::StoreBe16(octets + 6, 0);
  wire::StoreBe16(octets + 10, 0);
  wire::StoreBe16(octets + 10, wire::ip::Checksum({octets, kHeaderLen}));
  mbuf->data_len = static_cast<uint16_t>(datagram.ip_offset + kHeaderLen + datagram.total);
  mbuf->pkt_len = mbuf->data_len;
  return mbuf;
}

}  // namespace culvert::dataplane
