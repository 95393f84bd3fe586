// The RADIUS attributes that the code names. All others are known by the dictionary only.
// Comments give the RFC; vendors' attributes are those of Microsoft (RFC 2548), MikroTik, WISPr.
#pragma once

#include <compare>
#include <cstdint>

namespace culvert::radius {

// AttributeId: vendor 0 are the attributes of the RFCs. Type 0 of a vendor stands for all its
// octets: they are not a list of type, length and value.
struct AttributeId {
  uint32_t vendor = 0;
  uint8_t type = 0;
  constexpr auto operator<=>(const AttributeId&) const = default;
};

constexpr uint32_t kMicrosoft = 311;
constexpr uint32_t kWispr = 14122;
constexpr uint32_t kMikrotik = 14988;
constexpr uint8_t kVendorSpecific = 26;

namespace attr {

// RFC 2865.
constexpr AttributeId kUserName{0, 1}, kUserPassword{0, 2}, kChapPassword{0, 3};
constexpr AttributeId kNasIpAddress{0, 4}, kNasPort{0, 5}, kServiceType{0, 6};
constexpr AttributeId kFramedProtocol{0, 7}, kFramedIpAddress{0, 8}, kFramedIpNetmask{0, 9};
constexpr AttributeId kFilterId{0, 11}, kFramedMtu{0, 12}, kFramedCompression{0, 13};
constexpr AttributeId kReplyMessage{0, 18}, kFramedRoute{0, 22}, kState{0, 24}, kClass{0, 25};
constexpr AttributeId kSessionTimeout{0, 27}, kIdleTimeout{0, 28}, kTerminationAction{0, 29};
constexpr AttributeId kCalledStationId{0, 30}, kCallingStationId{0, 31}, kNasIdentifier{0, 32};
constexpr AttributeId kProxyState{0, 33}, kChapChallenge{0, 60}, kNasPortType{0, 61};
constexpr AttributeId kPortLimit{0, 62};
// RFC 2866 and 2869.
constexpr AttributeId kAcctStatusType{0, 40}, kAcctDelayTime{0, 41}, kAcctInputOctets{0, 42};
constexpr AttributeId kAcctOutputOctets{0, 43}, kAcctSessionId{0, 44}, kAcctAuthentic{0, 45};
constexpr AttributeId kAcctSessionTime{0, 46}, kAcctInputPackets{0, 47};
constexpr AttributeId kAcctOutputPackets{0, 48}, kAcctTerminateCause{0, 49};
constexpr AttributeId kAcctMultiSessionId{0, 50}, kAcctLinkCount{0, 51};
constexpr AttributeId kAcctInputGigawords{0, 52}, kAcctOutputGigawords{0, 53};
constexpr AttributeId kEventTimestamp{0, 55}, kConnectInfo{0, 77}, kEapMessage{0, 79};
constexpr AttributeId kMessageAuthenticator{0, 80}, kAcctInterimInterval{0, 85};
constexpr AttributeId kNasPortId{0, 87}, kFramedPool{0, 88}, kChargeableUserIdentity{0, 89};
constexpr AttributeId kNasFilterRule{0, 92};
// RFC 2867 and 2868; the first octet is a tag.
constexpr AttributeId kTunnelType{0, 64}, kTunnelMediumType{0, 65};
constexpr AttributeId kTunnelClientEndpoint{0, 66}, kTunnelServerEndpoint{0, 67};
constexpr AttributeId kAcctTunnelConnection{0, 68}, kTunnelPassword{0, 69};
constexpr AttributeId kTunnelClientAuthId{0, 90}, kTunnelServerAuthId{0, 91};
// RFC 3162, 4818, 5176, 6911.
constexpr AttributeId kNasIpv6Address{0, 95}, kFramedInterfaceId{0, 96};
constexpr AttributeId kFramedIpv6Prefix{0, 97}, kFramedIpv6Route{0, 99}, kFramedIpv6Pool{0, 100};
constexpr AttributeId kErrorCause{0, 101}, kDelegatedIpv6Prefix{0, 123};
constexpr AttributeId kFramedIpv6Address{0, 168}, kDnsServerIpv6Address{0, 169};
constexpr AttributeId kDelegatedIpv6PrefixPool{0, 171}, kStatefulIpv6AddressPool{0, 172};
// Of pppd's dictionary; IANA has not assigned them.
constexpr AttributeId kSessionOctetsLimit{0, 227}, kOctetsDirection{0, 228};
// RFC 2548.
constexpr AttributeId kMsChapResponse{kMicrosoft, 1}, kMsChapError{kMicrosoft, 2};
constexpr AttributeId kMsChapNtEncPw{kMicrosoft, 6};
constexpr AttributeId kMsMppeEncryptionPolicy{kMicrosoft, 7}, kMsMppeEncryptionTypes{kMicrosoft, 8};
constexpr AttributeId kMsRasVendor{kMicrosoft, 9}, kMsChapDomain{kMicrosoft, 10};
constexpr AttributeId kMsChapChallenge{kMicrosoft, 11}, kMsChapMppeKeys{kMicrosoft, 12};
constexpr AttributeId kMsMppeSendKey{kMicrosoft, 16}, kMsMppeRecvKey{kMicrosoft, 17};
constexpr AttributeId kMsRasVersion{kMicrosoft, 18}, kMsAcctAuthType{kMicrosoft, 23};
constexpr AttributeId kMsAcctEapType{kMicrosoft, 24}, kMsChap2Response{kMicrosoft, 25};
constexpr AttributeId kMsChap2Success{kMicrosoft, 26}, kMsChap2Cpw{kMicrosoft, 27};
constexpr AttributeId kMsPrimaryDns{kMicrosoft, 28}, kMsSecondaryDns{kMicrosoft, 29};
constexpr AttributeId kMsPrimaryNbns{kMicrosoft, 30}, kMsSecondaryNbns{kMicrosoft, 31};
// MikroTik and WISPr.
constexpr AttributeId kMikrotikRateLimit{kMikrotik, 8}, kMikrotikTotalLimit{kMikrotik, 17};
constexpr AttributeId kMikrotikTotalLimitGigawords{kMikrotik, 18};
constexpr AttributeId kMikrotikAddressList{kMikrotik, 19};
constexpr AttributeId kWisprBandwidthMaxUp{kWispr, 7}, kWisprBandwidthMaxDown{kWispr, 8};

}  // namespace attr

}  // namespace culvert::radius
