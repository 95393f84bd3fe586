// What requests ask for: the names of sessions, and changes made of more than one attribute.
#include "controlplane/radius/dynamic/order.h"

#include <gtest/gtest.h>

#include <string>

#include "controlplane/radius/attribute_list.h"

namespace culvert::radius {
namespace {

using Bytes = std::vector<uint8_t>;

config::Ipv6Prefix Prefix(const std::string& text) { return *config::ParsePrefix6(text); }

struct Request {
  Code code = Code::kCoaRequest;
  AttributeList attributes = {};

  Request& Text(AttributeId id, const std::string& text) {
    attributes.AddText(id, text);
    return *this;
  }
  Request& Number(AttributeId id, uint32_t value) {
    attributes.AddInteger(id, value);
    return *this;
  }
  [[nodiscard]] tl::expected<Order, ErrorCause> Read() const {
    Bytes octets(kHeaderLen);
    octets.insert(octets.end(), attributes.octets().begin(), attributes.octets().end());
    octets[0] = static_cast<uint8_t>(code);
    octets[2] = static_cast<uint8_t>(octets.size() >> 8);
    octets[3] = static_cast<uint8_t>(octets.size());
    return ReadOrder(*Parse(octets), NasIdentity());
  }
};

Request Coa() { return {}; }
Request Disconnect() { return {.code = Code::kDisconnectRequest}; }
Order OrderOf(const Request& request) {
  const auto order = request.Read();
  EXPECT_TRUE(order.has_value());
  return order.value_or(Order{});
}
uint32_t CauseOf(const Request& request) {
  const auto order = request.Read();
  EXPECT_FALSE(order.has_value());
  return order ? 0 : static_cast<uint32_t>(order.error());
}

TEST(RadiusOrder, KeysOfIpv6AndOtherNames) {
  Request request = Disconnect()
                        .Text(attr::kAcctMultiSessionId, "00112233445566aa")
                        .Text(attr::kChargeableUserIdentity, std::string("c\0i", 3))
                        .Text(attr::kCallingStationId, "+49 30 1234")
                        .Text(attr::kCalledStationId, "55");
  request.attributes.Add(attr::kFramedInterfaceId, Bytes{0xfe, 0, 0, 0, 0, 0, 0, 1});
  const auto add = [&request](AttributeId id, const std::string& text) {
    const config::Ipv6Prefix prefix = Prefix(text);
    request.attributes.AddIpv6Prefix(id, prefix.address, prefix.length);
  };
  add(attr::kFramedIpv6Prefix, "2001:db8:1::/64");
  add(attr::kDelegatedIpv6Prefix, "2001:db8:f000::/56");
  const SessionKey session = OrderOf(request).session;
  EXPECT_FALSE(session.nobody);
  EXPECT_EQ(session.id, 0x00112233445566aau);
  EXPECT_EQ(session.chargeable_identity, std::string("c\0i", 3));
  EXPECT_EQ(session.calling_number, "+49 30 1234");
  EXPECT_EQ(session.called_number, "55");
  EXPECT_FALSE(session.peer_address || session.local_address);
  EXPECT_EQ(session.interface_id, 0xfe00000000000001u);
  EXPECT_EQ(session.prefix, Prefix("2001:db8:1::/64"));
  EXPECT_EQ(session.delegated_prefix, Prefix("2001:db8:f000::/56"));
}

TEST(RadiusOrder, BothSessionIdsMustBeTheSame) {
  const auto both = [](const std::string& multi) {
    return OrderOf(Disconnect()
                       .Text(attr::kAcctSessionId, "00112233445566aa")
                       .Text(attr::kAcctMultiSessionId, multi))
        .session;
  };
  EXPECT_FALSE(both("00112233445566aa").nobody);
  EXPECT_TRUE(both("00112233445566ab").nobody);
}

TEST(RadiusOrder, CalledStationIdAloneNamesNobody) {
  for (const char* text : {"198.51.100.1", "55"}) {
    EXPECT_EQ(CauseOf(Disconnect().Text(attr::kCalledStationId, text)), 402u) << text;
  }
}

TEST(RadiusOrder, BadKeysOfIpv6) {
  for (const AttributeId id :
       {attr::kFramedInterfaceId, attr::kFramedIpv6Prefix, attr::kDelegatedIpv6Prefix}) {
    Request request = Disconnect();
    request.attributes.Add(id, Bytes{0, 200, 1});
    EXPECT_EQ(CauseOf(request), 407u) << int{id.type};
  }
}

TEST(RadiusOrder, AddressListsAndTotalLimit) {
  const Order order = OrderOf(Coa()
                                  .Text(attr::kUserName, "alice")
                                  .Text(attr::kMikrotikAddressList, "debtors")
                                  .Text(attr::kMikrotikAddressList, "slow")
                                  .Number(attr::kMikrotikTotalLimit, 5)
                                  .Number(attr::kMikrotikTotalLimitGigawords, 2));
  EXPECT_EQ(order.change.address_lists, "debtors,slow");
  EXPECT_EQ(order.change.octet_quota, (uint64_t{2} << 32) + 5);
  EXPECT_EQ(CauseOf(Coa()
                        .Text(attr::kUserName, "alice")
                        .Number(attr::kMikrotikTotalLimit, 5)
                        .Number(attr::kMikrotikTotalLimit, 6)),
            404u);
  EXPECT_EQ(
      CauseOf(Coa().Text(attr::kUserName, "alice").Text(attr::kMikrotikTotalLimitGigawords, "x")),
      407u);
}

}  // namespace
}  // namespace culvert::radius
