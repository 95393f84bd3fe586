#include "proto/wire/ppp.h"

#include <gtest/gtest.h>

#include "tests/vectors/vectors.h"

namespace culvert::wire::ppp {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using OctetVector = std::vector<uint8_t>;

OctetVector Row(const char* name) {
  return FromHex(Vectors()["ppp_frames"]["rows"][name].get<std::string>());
}

bool HasOptions(uint16_t protocol, uint8_t code) {
  return (protocol == kLcp || protocol == kIpcp || protocol == kIpv6cp || protocol == kCcp) &&
         code >= kConfigureRequest && code <= kConfigureReject;
}

TEST(PppFrame, AllEightFormsOfIpAndMppe) {
  const std::pair<const char*, uint16_t> forms[] = {
      {"ff030021", kIpv4}, {"0021", kIpv4}, {"ff0321", kIpv4}, {"21", kIpv4},
      {"ff0300fd", kMppe}, {"00fd", kMppe}, {"ff03fd", kMppe}, {"fd", kMppe}};
  for (const auto& [header, protocol] : forms) {
    for (const char* information : {"", "45", "0300", "ff03"}) {
      const OctetVector octets = FromHex(std::string(header) + information);
      const auto frame = ParseFrame(octets);
      ASSERT_TRUE(frame.has_value()) << header;
      EXPECT_EQ(frame->protocol, protocol) << header;
      EXPECT_EQ(ToHex(frame->information), information) << header;
    }
  }
}

TEST(PppFrame, EveryTruncation) {
  for (const char* hex : {"", "00", "c0", "ff03", "ff0300", "ff03c0"}) {
    const auto frame = ParseFrame(FromHex(hex));
    ASSERT_FALSE(frame.has_value()) << hex;
    EXPECT_EQ(frame.error(), Error::kTruncated) << hex;
  }
}

TEST(PppFrame, ProtocolsOfTheWrongParityAreRefused) {
  for (const char* hex : {"0020", "c020", "0000", "ff030020", "ff03c0220101", "8020ff"}) {
    EXPECT_EQ(ParseFrame(FromHex(hex)).error(), Error::kBadProtocol) << hex;
  }
  // An odd first octet always is the compressed form, so a two-octet protocol never has one.
  EXPECT_EQ(ParseFrame(FromHex("c121"))->protocol, 0xc1);
  for (const char* hex : {"ff", "ff04c021", "ff03ff03c021", "00ff21", "ff0300ff"}) {
    EXPECT_EQ(ParseFrame(FromHex(hex)).error(), Error::kBadProtocol) << hex;
  }
}

TEST(PppFrame, OfAllTwoOctetProtocolsAQuarterIsValid) {
  int two_octets = 0;
  for (uint32_t protocol = 0; protocol <= 0xffff; ++protocol) {
    const uint8_t octets[] = {static_cast<uint8_t>(protocol >> 8), static_cast<uint8_t>(protocol)};
    const auto frame = ParseFrame(octets);
    const bool valid = (protocol & 0x0101) == 0x0001 && protocol != 0x00ff;
    if (valid) {
      ASSERT_TRUE(frame.has_value());
      ASSERT_EQ(frame->protocol, protocol);
      ++two_octets;
    } else {
      ASSERT_TRUE(!frame.has_value() || frame->protocol < 0x100);
    }
  }
  EXPECT_EQ(two_octets, 0x10000 / 4 - 1);
}

TEST(PppControl, EveryVectorIsEmittedAsItWasParsed) {
  const auto& rows = Vectors()["ppp_frames"]["rows"];
  ASSERT_EQ(rows.size(), 27u);
  int with_options = 0;
  for (const auto& [name, hex] : rows.items()) {
    const OctetVector octets = FromHex(hex.get<std::string>());
    const auto frame = ParseFrame(octets);
    ASSERT_TRUE(frame.has_value()) << name;
    const auto packet = ParseControl(frame->information);
    ASSERT_TRUE(packet.has_value()) << name;
    EXPECT_EQ("ff03" + ToHex(EmitControl(frame->protocol, packet->code, packet->identifier,
                                         packet->data)),
              ToHex(octets))
        << name;
    if (!HasOptions(frame->protocol, packet->code)) {
      continue;
    }
    ++with_options;
    const auto options = ParseOptions(packet->data);
    ASSERT_TRUE(options.has_value()) << name;
    ASSERT_FALSE(options->empty()) << name;
    OptionList list;
    for (const Option& option : *options) {
      list.Add(option.type, option.value);
    }
    EXPECT_EQ(ToHex(list.octets()), ToHex(packet->data)) << name;
  }
  EXPECT_EQ(with_options, 14);
}

TEST(PppControl, AVectorHoldsTheValuesItIsNamedFor) {
  const OctetVector octets = Row("server_lcp_confreq_mschapv2");
  const auto frame = ParseFrame(octets);
  EXPECT_EQ(frame->protocol, kLcp);
  const auto packet = ParseControl(frame->information);
  EXPECT_EQ(packet->code, kConfigureRequest);
  EXPECT_EQ(packet->identifier, 1);
  const auto options = ParseOptions(packet->data);
  ASSERT_EQ(options->size(), 5u);
  EXPECT_EQ((*options)[0].type, lcp::kMru);
  EXPECT_EQ(ToHex((*options)[0].value), "0578");
  EXPECT_EQ((*options)[1].type, lcp::kAuthentication);
  EXPECT_EQ(ToHex((*options)[1].value), "c22381");
  EXPECT_EQ((*options)[2].type, lcp::kMagicNumber);
  EXPECT_EQ((*options)[3].type, lcp::kPfc);
  EXPECT_TRUE((*options)[3].value.empty());
  EXPECT_EQ((*options)[4].type, lcp::kAcfc);

  const OctetVector ccp = Row("ccp_confreq_stateless128");
  const auto mppe = ParseOptions(ParseControl(ParseFrame(ccp)->information)->data);
  EXPECT_EQ(mppe->at(0).type, ccp::kMppe);
  EXPECT_EQ(LoadBe32(mppe->at(0).value.data()), ccp::kStateless | ccp::k128Bit);
}

TEST(PppControl, EveryTruncation) {
  const OctetVector octets = FromHex("010700080102030405");  // one octet of padding
  for (size_t len = 0; len < 8; ++len) {
    const OctetVector cut(octets.begin(), octets.begin() + static_cast<ptrdiff_t>(len));
    const auto packet = ParseControl(cut);
    ASSERT_FALSE(packet.has_value()) << len;
    EXPECT_EQ(packet.error(), len < 4 ? Error::kTruncated : Error::kBadLength) << len;
  }
  ASSERT_TRUE(ParseControl(octets).has_value());
  EXPECT_EQ(ToHex(ParseControl(octets)->data), "01020304");
}

TEST(PppControl, LengthsThatLie) {
  OctetVector octets = FromHex("0107000801020304");
  for (uint32_t length = 0; length <= 0xffff; ++length) {
    StoreBe16(&octets[2], static_cast<uint16_t>(length));
    const auto packet = ParseControl(octets);
    ASSERT_EQ(packet.has_value(), length >= 4 && length <= 8) << length;
    if (packet.has_value()) {
      ASSERT_EQ(packet->data.size(), length - 4);
    } else {
      ASSERT_EQ(packet.error(), Error::kBadLength);
    }
  }
}

TEST(PppControl, DataIsCutWhereTheLengthFieldEnds) {
  const OctetVector data(70000, 0x55);
  const OctetVector frame = EmitControl(kLcp, 9, 1, data);
  EXPECT_EQ(frame.size(), 2u + 0xffff);
  EXPECT_EQ(ParseControl(Octets(frame).subspan(2))->data.size(), 0xffffu - 4);
  EXPECT_EQ(ToHex(EmitControl(kCcp, kResetRequest, 5, {})), "80fd0e050004");
}

TEST(PppOptions, ALyingLengthInvalidatesTheWholeList) {
  EXPECT_TRUE(ParseOptions({})->empty());
  for (const char* hex : {"01", "0100", "0101", "0103", "010405", "ff", "0702ff", "0702010405",
                          "070201", "01040578ff", "010405780500", "01ff0578"}) {
    const auto options = ParseOptions(FromHex(hex));
    ASSERT_FALSE(options.has_value()) << hex;
    EXPECT_EQ(options.error(), Error::kBadOption) << hex;
  }
}

TEST(PppOptions, EveryTruncationIsALieOrAShorterList) {
  const OctetVector octets = FromHex("010405780305c2238105063cc21a5707020802");
  int valid = 0;
  for (size_t len = 0; len <= octets.size(); ++len) {
    const OctetVector cut(octets.begin(), octets.begin() + static_cast<ptrdiff_t>(len));
    valid += ParseOptions(cut).has_value() ? 1 : 0;
  }
  EXPECT_EQ(valid, 6);  // behind 0, 1, 2, 3, 4 and 5 options
}

TEST(PppOptions, ListIsTheWireForm) {
  OptionList list;
  EXPECT_TRUE(list.empty());
  list.AddU16(lcp::kMru, 1400);
  list.AddU32(lcp::kMagicNumber, 0x3cc21a57);
  list.AddFlag(lcp::kPfc);
  list.Add(lcp::kAuthentication, FromHex("c22381"));
  EXPECT_EQ(ToHex(list.octets()), "0104057805063cc21a5707020305c22381");
  EXPECT_FALSE(list.empty());
  OptionList longest;
  longest.Add(200, OctetVector(300, 1));
  ASSERT_EQ(longest.octets().size(), 255u);
  EXPECT_EQ(ParseOptions(longest.octets())->at(0).value.size(), 253u);
}

}  // namespace
}  // namespace culvert::wire::ppp
