#include "dataplane/filter/filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "dataplane/rig/packets.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {
namespace {

constexpr uint8_t kAck = 0x10;
constexpr uint8_t kSyn = 0x02;
using Octets = std::vector<uint8_t>;

// The meaning of a filter, rule by rule, from the octets of a packet; nothing shared with Filter.
struct Facts {
  bool ipv6;
  uint8_t protocol;
  Octets source = {}, destination = {};
  std::optional<std::pair<uint16_t, uint16_t>> ports = {};  // TCP, UDP, SCTP
  std::optional<uint8_t> icmp_type = {}, tcp_flags = {};
};

bool Contains(const std::optional<PrefixSpec>& prefix, const Octets& address) {
  for (unsigned bit = 0; prefix && bit < prefix->len; ++bit) {
    if (((prefix->address[bit / 8] ^ address[bit / 8]) >> (7 - bit % 8) & 1) != 0) {
      return false;
    }
  }
  return true;
}

bool Within(const std::optional<PortRange>& range, std::optional<uint16_t> port) {
  return !range || (port && *port >= range->first && *port <= range->last);
}

bool Matches(const FilterRuleSpec& rule, const Facts& facts) {
  for (const auto* prefix : {&rule.source, &rule.destination}) {
    if (*prefix && (*prefix)->is_ipv6 != facts.ipv6) {
      return false;
    }
  }
  const bool is_icmp = rule.protocol == 1 || rule.protocol == 58;
  std::optional<uint16_t> source, destination;
  if (is_icmp) {
    destination = facts.icmp_type;
  } else if (facts.ports) {
    source = facts.ports->first;
    destination = facts.ports->second;
  }
  return (rule.protocol == 0 || rule.protocol == facts.protocol) &&
         Contains(rule.source, facts.source) && Contains(rule.destination, facts.destination) &&
         Within(rule.source_ports, source) && Within(rule.destination_ports, destination) &&
         (rule.tcp_flags_mask == 0 ||
          (facts.tcp_flags && (*facts.tcp_flags & rule.tcp_flags_mask) == rule.tcp_flags));
}

bool Judge(const FilterSpec& spec, const Facts& facts, bool upstream) {
  for (const FilterRuleSpec& rule : spec.rules) {
    if (rule.upstream == upstream && Matches(rule, facts)) {
      return rule.permit;
    }
  }
  return upstream ? spec.permit_upstream : spec.permit_downstream;
}

// A small world, so that rules and packets meet.
class World {
 public:
  unsigned Below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool Chance() { return Below(2) == 0; }
  Octets Address(bool ipv6) {
    Octets address(ipv6 ? 16 : 4);
    address[0] = ipv6 ? 0x20 : 10;
    address[address.size() - 2] = static_cast<uint8_t>(Below(3));
    address.back() = static_cast<uint8_t>(Below(4));
    return address;
  }
  std::optional<PrefixSpec> Prefix(bool ipv6) {
    if (Below(3) == 0) {
      return std::nullopt;
    }
    const Octets address = Address(ipv6);
    PrefixSpec prefix{.len = static_cast<uint8_t>(Below(ipv6 ? 129 : 33)), .is_ipv6 = ipv6};
    for (unsigned bit = 0; bit < prefix.len; ++bit) {
      prefix.address[bit / 8] |= address[bit / 8] & (0x80 >> bit % 8);
    }
    return prefix;
  }
  uint16_t Port() { return static_cast<uint16_t>(Below(6) == 0 ? Below(65536) : 20 + Below(6)); }
  std::optional<PortRange> Ports() {
    if (Chance()) {
      return std::nullopt;
    }
    const auto [first, last] = std::minmax({Port(), Port()});
    return PortRange{first, last};
  }
  FilterRuleSpec Rule() {
    constexpr uint8_t kProtocols[] = {0, 1, 6, 6, 17, 17, 47, 58, 132};
    FilterRuleSpec rule{.permit = Chance(), .upstream = Chance()};
    rule.protocol = kProtocols[Below(std::size(kProtocols))];
    const bool ipv6 = Chance();
    rule.source = Prefix(ipv6);
    rule.destination = Prefix(ipv6);
    if (rule.protocol == 1 || rule.protocol == 58) {
      rule.destination_ports = Ports();
    } else if (rule.protocol != 47) {
      rule.source_ports = Ports();
      rule.destination_ports = Ports();
    }
    if (rule.protocol == 6 && Chance()) {
      rule.tcp_flags_mask = kAck | kSyn;
      rule.tcp_flags = static_cast<uint8_t>(Chance() ? kSyn : kAck);
    }
    return rule;
  }
  // Packet gives an upper layer's octets, too.
  Octets Packet(Facts* facts) {
    constexpr uint8_t kProtocols[] = {1, 6, 6, 17, 17, 47, 58, 132};
    *facts = {.ipv6 = Chance(), .protocol = kProtocols[Below(std::size(kProtocols))]};
    facts->source = Address(facts->ipv6);
    facts->destination = Address(facts->ipv6);
    Octets upper(20);
    const bool later = Below(5) == 0;  // fragment
    Fill(later, &upper, facts);
    return facts->ipv6 ? Ipv6(*facts, later, upper) : Ipv4(*facts, later, upper);
  }

 private:
  void Fill(bool later, Octets* upper, Facts* facts) {
    const std::pair ports{Port(), Port()};
    wire::StoreBe16(upper->data(), ports.first);
    wire::StoreBe16(&(*upper)[2], ports.second);
    if (facts->protocol == 6) {
      (*upper)[13] = static_cast<uint8_t>(Below(0x20));
    }
    if (later) {
      return;
    }
    if (facts->protocol == 1 || facts->protocol == 58) {
      facts->icmp_type = (*upper)[0];
    } else if (facts->protocol != 47) {
      facts->ports = ports;
    }
    if (facts->protocol == 6) {
      facts->tcp_flags = (*upper)[13];
    }
  }
  static Octets Ipv4(const Facts& facts, bool later, const Octets& upper) {
    Ipv4Spec spec{.source = wire::LoadBe32(facts.source.data()),
                  .destination = wire::LoadBe32(facts.destination.data()),
                  .protocol = facts.protocol};
    spec.fragment = later ? 100 : 0;
    return MakeIpv4(spec, upper);
  }
  static Octets Ipv6(const Facts& facts, bool later, const Octets& upper) {
    const auto len = static_cast<uint8_t>(upper.size() + (later ? 8 : 0));
    Octets packet = {0x60, 0, 0, 0, 0, len, later ? uint8_t{44} : facts.protocol, 64};
    packet.insert(packet.end(), facts.source.begin(), facts.source.end());
    packet.insert(packet.end(), facts.destination.begin(), facts.destination.end());
    if (later) {
      const Octets fragment = {facts.protocol, 0, 0x10, 1, 0, 0, 0, 9};
      packet.insert(packet.end(), fragment.begin(), fragment.end());
    }
    packet.insert(packet.end(), upper.begin(), upper.end());
    return packet;
  }

  std::mt19937 random_{20};
};

bool MakeKey(const Octets& packet, FilterKey* key) {
  return packet[0] >> 4 == 6 ? MakeIpv6Key(packet, key)
                             : MakeIpv4Key(packet, *wire::ip::ParseIpv4(packet), key);
}

TEST(FilterTest, DecidesAsItsRulesOneByOneDo) {
  World world;
  unsigned num_permitted = 0;
  unsigned num_matched = 0;
  constexpr unsigned kNumPackets = 256;
  for (const size_t num_rules : {1, 2, 3, 5, 10, 30, 100, 300}) {
    for (int round = 0; round < 6; ++round) {
      FilterSpec spec{.id = 1, .permit_upstream = world.Chance()};
      spec.permit_downstream = world.Chance();
      std::generate_n(std::back_inserter(spec.rules), num_rules, [&] { return world.Rule(); });
      ASSERT_TRUE(Filter::Check(spec).ok()) << Filter::Check(spec);
      const auto filter = Filter::Create(spec);
      ASSERT_TRUE(filter.ok()) << filter.status();
      for (unsigned i = 0; i < kNumPackets; ++i) {
        Facts facts;
        const Octets packet = world.Packet(&facts);
        FilterKey key;
        ASSERT_TRUE(MakeKey(packet, &key));
        const FilterKey* keys[] = {&key};
        for (const bool upstream : {false, true}) {
          bool may_pass = false;
          (*filter)->part(upstream, facts.ipv6).Judge(keys, &may_pass);
          ASSERT_EQ(may_pass, Judge(spec, facts, upstream)) << num_rules << " " << i;
          num_permitted += may_pass ? 1 : 0;
          num_matched += std::any_of(spec.rules.begin(), spec.rules.end(),
                                     [&](const auto& r) { return Matches(r, facts); })
                             ? 1
                             : 0;
        }
      }
    }
  }
  // The comparison has seen enough of both.
  constexpr unsigned kAll = 8 * 6 * kNumPackets * 2;
  EXPECT_GT(num_permitted, kAll / 4);
  EXPECT_LT(num_permitted, kAll * 3 / 4);
  EXPECT_GT(num_matched, kAll / 4);
}

TEST(FilterTest, JudgesABurstAsItDoesEachPacket) {
  World world;
  FilterSpec spec{.id = 1};
  std::generate_n(std::back_inserter(spec.rules), 40, [&] { return world.Rule(); });
  const auto filter = Filter::Create(spec);
  ASSERT_TRUE(filter.ok());
  FilterKey keys[FilterPart::kMaxKeys];
  const FilterKey* pointers[FilterPart::kMaxKeys];
  bool expected[FilterPart::kMaxKeys];
  size_t num = 0;
  while (num < FilterPart::kMaxKeys) {
    Facts facts;
    const Octets packet = world.Packet(&facts);
    if (!facts.ipv6 && MakeKey(packet, &keys[num])) {
      pointers[num] = &keys[num];
      expected[num++] = Judge(spec, facts, true);
    }
  }
  for (size_t len = 1; len <= num; ++len) {
    bool may_pass[FilterPart::kMaxKeys] = {};
    (*filter)->part(true, false).Judge({pointers, len}, may_pass);
    ASSERT_TRUE(std::equal(may_pass, may_pass + len, expected)) << len;
  }
}

TEST(FilterTest, WithoutRulesOfADirectionItsDefaultHolds) {
  for (const bool permit : {false, true}) {
    FilterSpec spec{.id = 1, .permit_upstream = permit, .permit_downstream = !permit};
    const auto filter = Filter::Create(spec);
    ASSERT_TRUE(filter.ok());
    FilterKey key{};
    const FilterKey* keys[] = {&key};
    bool up = false;
    bool down = false;
    (*filter)->part(true, false).Judge(keys, &up);
    (*filter)->part(false, true).Judge(keys, &down);
    EXPECT_EQ(up, permit);
    EXPECT_EQ(down, !permit);
  }
}

// What takes longest to build.
TEST(FilterTest, FourThousandRulesFit) {
  FilterSpec spec{.id = 1, .permit_upstream = true};
  for (uint32_t i = 0; i < kMaxFilterRules; ++i) {
    FilterRuleSpec rule{.upstream = true, .protocol = 6};
    rule.destination =
        PrefixSpec{{10, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i), 0}, 24};
    const auto port = static_cast<uint16_t>(i);
    const auto beyond = static_cast<uint16_t>(i < 1024 ? 2 * i : i);
    rule.destination_ports = PortRange{port, beyond};
    if (i >= 768 && i < 1024) {
      rule.source_ports = PortRange{port, beyond};
    }
    spec.rules.push_back(rule);
  }
  ASSERT_TRUE(Filter::Check(spec).ok()) << Filter::Check(spec);
  const auto filter = Filter::Create(spec);
  ASSERT_TRUE(filter.ok()) << filter.status();
  for (const uint32_t i : {1U, 700U, 1000U, 4095U}) {  // whatever classifier they are in
    Bytes tcp(20);
    wire::StoreBe16(tcp.data(), static_cast<uint16_t>(i));
    wire::StoreBe16(&tcp[2], static_cast<uint16_t>(i));
    FilterKey key;
    const Bytes packet = MakeIpv4({1, 10U << 24 | i << 8 | 7, 6}, tcp);
    ASSERT_TRUE(MakeKey(packet, &key));
    const FilterKey* keys[] = {&key};
    bool may_pass = true;
    (*filter)->part(true, false).Judge(keys, &may_pass);
    EXPECT_FALSE(may_pass) << i;
  }
  spec.rules.assign(
      257, {.protocol = 6, .source_ports = PortRange{1, 2}, .destination_ports = PortRange{1, 2}});
  EXPECT_EQ(Filter::Check(spec).message(),
            "rules: 0 with a range of ports and 257 with two; allowed: 1024 and 256");
}

// RFC 1858 s3, RFC 3128 s2: what hides the flags of TCP matches no rule; it is not let through.
TEST(FilterKeyTest, RefusesTcpThatHidesItsFlags) {
  FilterKey key;
  const auto packet = [](uint16_t fragment, uint8_t protocol, size_t len) {
    return MakeIpv4({.source = 1, .destination = 2, .protocol = protocol, .fragment = fragment},
                    Octets(len, 1));
  };
  constexpr uint16_t kMore = 0x2000;
  EXPECT_FALSE(MakeKey(packet(kMore, 6, 8), &key));
  EXPECT_TRUE(MakeKey(packet(kMore, 6, 24), &key));
  EXPECT_FALSE(MakeKey(packet(1, 6, 8), &key));
  EXPECT_TRUE(MakeKey(packet(2, 6, 8), &key));
  EXPECT_TRUE(MakeKey(packet(1, 17, 8), &key));
  EXPECT_TRUE(MakeKey(packet(kMore, 17, 8), &key));
}

TEST(FilterKeyTest, WalksIpv6ExtensionHeaders) {
  Octets packet =
      Hex("60000000 0010 00 40 20010db8000000000000000000000001"
          "20010db8000000000000000000000002 11000000 00000000 0035 1234 0008 0000");
  FilterKey key;
  ASSERT_TRUE(MakeIpv6Key(packet, &key));
  EXPECT_EQ(key.protocol, 17);
  EXPECT_EQ(key.known, FilterKey::kPorts);
  EXPECT_EQ(wire::LoadBe16(key.ports), 0x35);
  EXPECT_EQ(wire::LoadBe16(&key.ports[2]), 0x1234);
  EXPECT_EQ(std::memcmp(key.addresses, &packet[8], 32), 0);
  packet[41] = 9;  // an extension header beyond the packet
  EXPECT_FALSE(MakeIpv6Key(packet, &key));
}

}  // namespace
}  // namespace culvert::dataplane
