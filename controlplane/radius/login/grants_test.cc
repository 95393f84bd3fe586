#include "controlplane/radius/login/grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/radius/attribute_list.h"
#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Bytes = std::vector<uint8_t>;

tl::expected<CallGrants, std::string> Grants(const AttributeList& list) {
  EXPECT_FALSE(list.error().has_value());
  Bytes octets(kHeaderLen);
  octets.insert(octets.end(), list.octets().begin(), list.octets().end());
  octets[0] = static_cast<uint8_t>(Code::kAccessAccept);
  octets[2] = static_cast<uint8_t>(octets.size() >> 8);
  octets[3] = static_cast<uint8_t>(octets.size());
  return ReadGrants(*Parse(octets));
}

template <typename Fill>
tl::expected<CallGrants, std::string> GrantsWith(Fill fill) {
  AttributeList list;
  fill(list);
  return Grants(list);
}

std::string RouteText(const config::Ipv4Prefix& prefix) { return config::FormatPrefix(prefix); }

TEST(RadiusGrants, AnEmptyAcceptGivesNothing) {
  const auto grants = Grants({});
  ASSERT_TRUE(grants.has_value());
  EXPECT_EQ(grants->fixed_address, 0u);
  EXPECT_THAT(grants->routes, IsEmpty());
  EXPECT_FALSE(grants->session_timeout_s || grants->idle_timeout_s || grants->octet_quota ||
               grants->upstream_bps || grants->mtu || grants->max_sessions || grants->mppe);
}

TEST(RadiusGrants, AddressesAndPools) {
  const auto fixed = [](uint32_t address) {
    return GrantsWith([&](AttributeList& list) {
             list.AddInteger(attr::kFramedIpAddress, address);
             list.AddText(attr::kFramedPool, "gold");
           })
        ->fixed_address;
  };
  EXPECT_EQ(fixed(0x0a000002), 0x0a000002u);
  EXPECT_EQ(fixed(0xfffffffe), 0u) << "the NAS chooses";
  EXPECT_EQ(fixed(0xffffffff), 0u) << "the user may choose, but does not here";
  for (const uint32_t address : {0u, 1u, 0x7f000001u, 0xe0000001u, 0xfffffffdu}) {
    EXPECT_THAT(GrantsWith([&](AttributeList& list) {
                  list.AddInteger(attr::kFramedIpAddress, address);
                }).error(),
                HasSubstr("Framed-IP-Address"));
  }
  EXPECT_EQ(GrantsWith([](AttributeList& list) { list.AddText(attr::kFramedPool, "gold"); })->pool,
            "gold");
}

TEST(RadiusGrants, ANetmaskIsARoute) {
  const auto routes = [](uint32_t address, uint32_t mask) {
    return GrantsWith([&](AttributeList& list) {
      list.AddInteger(attr::kFramedIpAddress, address);
      list.AddInteger(attr::kFramedIpNetmask, mask);
    });
  };
  EXPECT_EQ(RouteText(routes(0x0a010205, 0xfffffff8)->routes.at(0)), "10.1.2.0/29");
  EXPECT_THAT(routes(0x0a010205, 0xffffffff)->routes, IsEmpty());
  EXPECT_THAT(routes(0xfffffffe, 0xfffffff8)->routes, IsEmpty());
  EXPECT_THAT(routes(0x0a010205, 0xff00ff00).error(), HasSubstr("Framed-IP-Netmask"));
}

TEST(RadiusGrants, Routes) {
  EXPECT_EQ(RouteText(*ParseFramedRoute("192.168.1.0/24 192.168.1.1 1")), "192.168.1.0/24");
  EXPECT_EQ(RouteText(*ParseFramedRoute("192.168.1.128/25 0.0.0.0 1 2 -1 3 400")),
            "192.168.1.128/25");
  EXPECT_EQ(RouteText(*ParseFramedRoute("192.168.1.7/24")), "192.168.1.0/24");
  EXPECT_EQ(RouteText(*ParseFramedRoute("10.0.0.0 0.0.0.0 1")), "10.0.0.0/8");
  EXPECT_EQ(RouteText(*ParseFramedRoute("172.16.0.0")), "172.16.0.0/16");
  EXPECT_EQ(RouteText(*ParseFramedRoute("192.168.1.0")), "192.168.1.0/24");
  for (const char* text : {"", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/a", "10.0.0.0/-1",
                           "10.0.0.0/024", "2001:db8::/32", " 10.0.0.0/8", "0.0.0.0/0"}) {
    EXPECT_FALSE(ParseFramedRoute(text).has_value()) << text;
  }
  EXPECT_THAT(
      GrantsWith([](AttributeList& list) { list.AddText(attr::kFramedRoute, "nonsense"); }).error(),
      HasSubstr("Framed-Route"));
  EXPECT_THAT(GrantsWith([](AttributeList& list) {
                list.AddText(attr::kFramedIpv6Route, "::/0 :: 1");
              }).error(),
              HasSubstr("Framed-IPv6-Route"))
      << "all traffic to one client";
}

TEST(RadiusGrants, LimitsAndClasses) {
  const auto grants = GrantsWith([](AttributeList& list) {
    list.AddInteger(attr::kSessionTimeout, 3600);
    list.AddInteger(attr::kIdleTimeout, 600);
    list.AddInteger(attr::kAcctInterimInterval, 300);
    list.AddInteger(attr::kPortLimit, 2);
    list.AddInteger(attr::kFramedMtu, 1300);
    list.Add(attr::kClass, Bytes{1, 2});
    list.Add(attr::kClass, Bytes{3});
    list.AddText(attr::kFilterId, "web");
    list.AddText(attr::kNasFilterRule, "permit in ip ");
    list.AddText(attr::kNasFilterRule, "from any to any");
    list.AddInteger(attr::kMsPrimaryDns, 0x08080808);
    list.AddInteger(attr::kMsSecondaryDns, 0x08080404);
    list.AddInteger(attr::kMsPrimaryNbns, 0x0a000001);
    list.AddInteger({9999, 1}, 7);  // a stranger's: left alone
  });
  ASSERT_TRUE(grants.has_value()) << grants.error();
  EXPECT_EQ(grants->session_timeout_s, 3600u);
  EXPECT_EQ(grants->idle_timeout_s, 600u);
  EXPECT_EQ(grants->interim_interval_s, 300u);
  EXPECT_EQ(grants->max_sessions, 2u);
  EXPECT_EQ(grants->mtu, 1300);
  EXPECT_THAT(grants->classes, ElementsAre(Bytes{1, 2}, Bytes{3}));
  EXPECT_EQ(grants->filter_id, "web");
  EXPECT_EQ(grants->filter_rules, "permit in ip from any to any") << "RFC 4849 s2";
  EXPECT_THAT(grants->dns, ElementsAre(0x08080808, 0x08080404));
  EXPECT_THAT(grants->wins, ElementsAre(0x0a000001));
}

TEST(RadiusGrants, SeveralClassesAllComeBackAsTheyAre) {
  const auto grants = GrantsWith([](AttributeList& list) {
    for (uint8_t i = 1; i <= 12; ++i) list.Add(attr::kClass, Bytes(253, i));
  });
  ASSERT_TRUE(grants.has_value());
  ASSERT_EQ(grants->classes.size(), 12u);
  EXPECT_EQ(grants->classes.front(), Bytes(253, 1));
  EXPECT_EQ(grants->classes.back(), Bytes(253, 12));
}

TEST(RadiusGrants, AnUnknownVendorIsIgnored) {
  const auto grants = GrantsWith([](AttributeList& list) {
    list.Add({9999, 1}, Bytes{1});
    list.Add({9999, 0}, Bytes{0xff});  // no list of type, length and value
    list.Add({4'294'967'295, 255}, Bytes(247, 7));
    list.Add({0, 241}, Bytes{1});  // extended attributes are unknown too
    list.AddInteger(attr::kSessionTimeout, 60);
  });
  ASSERT_TRUE(grants.has_value()) << grants.error();
  EXPECT_EQ(grants->session_timeout_s, 60u);
}

TEST(RadiusGrants, MarksForAccountingAndAddressLists) {
  EXPECT_EQ(Grants({})->marks, nullptr);
  const auto grants = GrantsWith([](AttributeList& list) {
    list.AddText(attr::kChargeableUserIdentity, std::string("c\0i", 3));
    list.AddText(attr::kMsChapDomain, "\x07SALES");
    list.AddText(attr::kMikrotikAddressList, "debtors");
    list.AddText(attr::kMikrotikAddressList, "slow");
  });
  ASSERT_NE(grants->marks, nullptr);
  EXPECT_EQ(grants->marks->chargeable_identity, std::string("c\0i", 3));
  EXPECT_EQ(grants->marks->ms_chap_domain, "\x07SALES");
  EXPECT_EQ(grants->address_lists, "debtors,slow");
}

TEST(RadiusGrants, PoolsAndRatesOfCisco) {
  const auto pairs = [](std::initializer_list<const char*> texts) {
    return GrantsWith([&](AttributeList& list) {
      for (const char* text : texts) list.AddText(attr::kCiscoAvPair, text);
    });
  };
  const auto grants = pairs(
      {"ip:addr-pool=gold", "shell:priv-lvl=15", "lcp:interface-config#1=ip mtu 1300", "nonsense",
       "lcp:interface-config#1=rate-limit input 1000000 8000 8000 conform-action transmit",
       "lcp:interface-config#2=rate-limit output 2000000 8000 8000 conform-action transmit"});
  ASSERT_TRUE(grants.has_value()) << grants.error();
  EXPECT_EQ(grants->pool, "gold");
  EXPECT_EQ(grants->upstream_bps, 1'000'000u);
  EXPECT_EQ(grants->downstream_bps, 2'000'000u);
  for (const char* text : {"rate-limit", "rate-limit input", "rate-limit input x 1",
                           "rate-limit sideways 1000", "rate-limit output 1000000000001"}) {
    EXPECT_THAT(pairs({(std::string("lcp:interface-config=") + text).c_str()}).error(),
                HasSubstr("Cisco-AVPair"))
        << text;
  }
}

TEST(RadiusGrants, AttributesOfTheirOwnComeBeforeCiscosPairs) {
  const auto grants = GrantsWith([](AttributeList& list) {
    list.AddText(attr::kCiscoAvPair, "ip:addr-pool=gold");
    list.AddText(attr::kCiscoAvPair, "lcp:interface-config#1=rate-limit input 1000000");
    list.AddText(attr::kFramedPool, "silver");
    list.AddInteger(attr::kWisprBandwidthMaxDown, 5'000'000);
  });
  EXPECT_EQ(grants->pool, "silver");
  EXPECT_FALSE(grants->upstream_bps.has_value());
  EXPECT_EQ(grants->downstream_bps, 5'000'000u);
}

TEST(RadiusGrants, Quotas) {
  const auto quota = [](auto fill) { return GrantsWith(fill)->octet_quota; };
  EXPECT_EQ(quota([](AttributeList& list) {
              list.AddInteger(attr::kMikrotikTotalLimit, 5);
              list.AddInteger(attr::kMikrotikTotalLimitGigawords, 1);
            }),
            0x100000005u);
  EXPECT_EQ(quota([](AttributeList& list) { list.AddInteger(attr::kSessionOctetsLimit, 1000); }),
            1000u);
  EXPECT_EQ(quota([](AttributeList& list) {
              list.AddInteger(attr::kSessionOctetsLimit, 1000);
              list.AddInteger(attr::kMikrotikTotalLimit, 5);
            }),
            5u);
  EXPECT_THAT(GrantsWith([](AttributeList& list) {
                list.AddInteger(attr::kSessionOctetsLimit, 1000);
                list.AddInteger(attr::kOctetsDirection, 1);
              }).error(),
              HasSubstr("Octets-Direction"));
}

TEST(RadiusGrants, RatesOfMikrotikBeforeThoseOfWispr) {
  const auto wispr = [](AttributeList& list) {
    list.AddInteger(attr::kWisprBandwidthMaxUp, 1'000'000);
    list.AddInteger(attr::kWisprBandwidthMaxDown, 5'000'000);
  };
  EXPECT_EQ(GrantsWith(wispr)->upstream_bps, 1'000'000u);
  EXPECT_EQ(GrantsWith(wispr)->downstream_bps, 5'000'000u);
  const auto both = GrantsWith([&](AttributeList& list) {
    wispr(list);
    list.AddText(attr::kMikrotikRateLimit, "2M/10M");
  });
  EXPECT_EQ(both->upstream_bps, 2'000'000u);
  EXPECT_EQ(both->downstream_bps, 10'000'000u);
  EXPECT_THAT(GrantsWith([](AttributeList& list) {
                list.AddText(attr::kMikrotikRateLimit, "fast");
              }).error(),
              HasSubstr("Mikrotik-Rate-Limit"));
}

TEST(RadiusGrants, Ipv6) {
  const config::Ipv6Prefix prefix = *config::ParsePrefix6("2001:db8:1::/64");
  const auto grants = GrantsWith([&](AttributeList& list) {
    list.AddIpv6Prefix(attr::kFramedIpv6Prefix, prefix.address, 64);
    list.AddIpv6Prefix(attr::kDelegatedIpv6Prefix, prefix.address, 56);
    list.Add(attr::kFramedInterfaceId, Bytes{1, 2, 3, 4, 5, 6, 7, 8});
    list.AddText(attr::kFramedIpv6Pool, "six");
    list.AddText(attr::kDelegatedIpv6PrefixPool, "pd");
    list.Add(attr::kDnsServerIpv6Address, Bytes(16, 0x20));
    list.AddText(attr::kFramedIpv6Route, "2001:db8:2::/48 :: 1");
  });
  ASSERT_TRUE(grants.has_value()) << grants.error();
  EXPECT_EQ(config::FormatPrefix6(*grants->ipv6.prefix), "2001:db8:1::/64");
  EXPECT_EQ(config::FormatPrefix6(*grants->ipv6.delegated_prefix), "2001:db8:1::/56");
  EXPECT_EQ(grants->ipv6.interface_id->at(7), 8);
  EXPECT_EQ(grants->ipv6.pool, "six");
  EXPECT_EQ(grants->ipv6.delegated_pool, "pd");
  EXPECT_EQ(grants->ipv6.dns.size(), 1u);
  EXPECT_EQ(config::FormatPrefix6(grants->ipv6.routes.at(0)), "2001:db8:2::/48");

  const auto address = GrantsWith([](AttributeList& list) {
    list.Add(attr::kFramedIpv6Address, *config::ParseIpv6("2001:db8:3::5"));
  });
  EXPECT_EQ(config::FormatPrefix6(*address->ipv6.prefix), "2001:db8:3::/64");
  EXPECT_EQ(address->ipv6.interface_id->at(7), 5);
}

TEST(RadiusGrants, AServiceThatWeDoNotHaveIsAReject) {
  const auto with = [](AttributeId id, uint32_t value) {
    return GrantsWith([&](AttributeList& list) { list.AddInteger(id, value); });
  };
  EXPECT_TRUE(with(attr::kServiceType, 2).has_value());
  EXPECT_THAT(with(attr::kServiceType, 1).error(), HasSubstr("Service-Type"));
  EXPECT_TRUE(with(attr::kFramedProtocol, 1).has_value());
  EXPECT_THAT(with(attr::kFramedProtocol, 2).error(), HasSubstr("Framed-Protocol"));
  EXPECT_TRUE(with(attr::kTunnelType, 0x01000001).has_value());
  EXPECT_THAT(with(attr::kTunnelType, 3).error(), HasSubstr("Tunnel-Type"));
  EXPECT_TRUE(GrantsWith([](AttributeList& list) {
                list.AddTaggedInteger(attr::kTunnelType, 1, 3);
                list.AddTaggedInteger(attr::kTunnelType, 2, 1);
              }).has_value())
      << "one of them is ours";
}

// RFC 2865 s5: an attribute of a wrong length makes the Accept a Reject.
TEST(RadiusGrants, WrongLengthsAreRejects) {
  for (AttributeId id :
       {attr::kServiceType,          attr::kFramedProtocol,      attr::kFramedIpAddress,
        attr::kFramedIpNetmask,      attr::kFramedMtu,           attr::kSessionTimeout,
        attr::kIdleTimeout,          attr::kAcctInterimInterval, attr::kPortLimit,
        attr::kTunnelType,           attr::kMikrotikTotalLimit,  attr::kSessionOctetsLimit,
        attr::kWisprBandwidthMaxUp,  attr::kMsPrimaryDns,        attr::kFramedInterfaceId,
        attr::kFramedIpv6Prefix,     attr::kDelegatedIpv6Prefix, attr::kFramedIpv6Address,
        attr::kDnsServerIpv6Address, attr::kFramedIpv6Route}) {
    EXPECT_FALSE(GrantsWith([&](AttributeList& list) {
                   list.Add(id, Bytes{0xff, 0xff, 0xff});
                 }).has_value())
        << id.vendor << " " << int{id.type};
  }
}

}  // namespace
}  // namespace culvert::radius
