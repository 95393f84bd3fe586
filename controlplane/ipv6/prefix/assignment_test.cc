#include "controlplane/ipv6/prefix/assignment.h"

#include <gtest/gtest.h>

#include "controlplane/ipv6/test_packets.h"

namespace culvert::ipv6::testing {
namespace {

class PrefixAssignmentTest : public ::testing::Test {
 protected:
  PrefixPools pools_{{{"links", 64, {Prefix("2001:db8:1::/63")}},
                      {"homes", 56, {Prefix("2001:db8:f000::/55")}},
                      {"gold", 48, {Prefix("2001:db8:8000::/48")}}},
                     1000};
  PrefixAssignment assignment_{&pools_, {.pool = "links", .delegated_pool = "homes"}};
};

TEST_F(PrefixAssignmentTest, FromThePools) {
  Lease lease;
  EXPECT_EQ(assignment_.Assign({}, "", 0, &lease), "");
  EXPECT_EQ(lease.prefix, Prefix("2001:db8:1::/64"));
  EXPECT_EQ(lease.delegated_prefix, Prefix("2001:db8:f000::/56"));
  Lease other;
  EXPECT_EQ(assignment_.Assign({}, "", 0, &other), "");
  Lease third;
  EXPECT_EQ(assignment_.Assign({}, "", 0, &third),
            "the pool links is empty; the pool homes is empty");
  EXPECT_FALSE(third.prefix || third.delegated_prefix);
  assignment_.Release(third, 0);
  assignment_.Release(lease, 0);
  EXPECT_EQ(assignment_.Assign({}, "", 2000, &third), "");
  EXPECT_EQ(third.prefix, lease.prefix);
}

TEST_F(PrefixAssignmentTest, OfTheUser) {
  Ipv6Grants grants;
  grants.prefix = Prefix("2001:db8:aaaa::/64");
  grants.delegated_pool = "gold";
  Lease lease;
  EXPECT_EQ(assignment_.Assign(grants, "", 0, &lease), "");
  EXPECT_EQ(lease.prefix, grants.prefix);
  EXPECT_EQ(lease.delegated_prefix, Prefix("2001:db8:8000::/48"));
  Lease second;
  grants.delegated_pool = "silver\n";
  EXPECT_EQ(assignment_.Assign(grants, "", 0, &second),
            "the prefix 2001:db8:aaaa::/64 is in use; there is no pool silver\\x0a");
  assignment_.Release(lease, 0);
  grants.delegated_pool = "gold";
  EXPECT_EQ(assignment_.Assign(grants, "", 0, &second), "");
}

TEST(PrefixAssignment, NoneByDefault) {
  PrefixPools pools({}, 1000);
  PrefixAssignment assignment(&pools, {});
  Lease lease;
  EXPECT_EQ(assignment.Assign({}, "", 0, &lease), "");
  EXPECT_FALSE(lease.prefix || lease.delegated_prefix);
}

}  // namespace
}  // namespace culvert::ipv6::testing
