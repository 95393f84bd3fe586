// StreamParser: TCP may cut and join messages as it likes.
#include <gtest/gtest.h>

#include "proto/wire/byte_order.h"
#include "proto/wire/pptp.h"
#include "tests/vectors/vectors.h"

namespace culvert::wire::pptp {
namespace {

using culvert::testing::FromHex;
using culvert::testing::Vectors;
using OctetVector = std::vector<uint8_t>;

OctetVector AllVectors() {
  OctetVector stream;
  for (const auto& row : Vectors()["pptp_messages"]["rows"]) {
    const OctetVector octets = FromHex(row.get<std::string>());
    stream.insert(stream.end(), octets.begin(), octets.end());
  }
  return stream;
}

OctetVector Row(const char* name) {
  return FromHex(Vectors()["pptp_messages"]["rows"][name].get<std::string>());
}

// Feed gives `segment` to the parser as one read of a socket, and appends what comes out of it,
// emitted again, to `out`. Returns the verdict that ended it: kIncomplete when all is well.
Error Feed(StreamParser* parser, Octets segment, OctetVector* out) {
  while (true) {
    const auto message = parser->Next(segment);
    if (!message.has_value()) {
      if (message.error() == Error::kIncomplete) {
        EXPECT_TRUE(segment.empty());
      }
      return message.error();
    }
    const OctetVector octets = Emit(*message);
    out->insert(out->end(), octets.begin(), octets.end());
  }
}

TEST(PptpStream, MessagesMergedIntoOneSegment) {
  const OctetVector stream = AllVectors();
  StreamParser parser;
  OctetVector out;
  EXPECT_EQ(Feed(&parser, stream, &out), Error::kIncomplete);
  EXPECT_EQ(out, stream);
}

TEST(PptpStream, OneOctetPerSegment) {
  const OctetVector stream = AllVectors();
  StreamParser parser;
  OctetVector out;
  for (const uint8_t octet : stream) {
    ASSERT_EQ(Feed(&parser, Octets(&octet, 1), &out), Error::kIncomplete);
  }
  EXPECT_EQ(out, stream);
}

TEST(PptpStream, SplitAtEveryOctet) {
  const OctetVector stream = AllVectors();
  for (size_t at = 0; at <= stream.size(); ++at) {
    StreamParser parser;
    OctetVector out;
    ASSERT_EQ(Feed(&parser, Octets(stream).first(at), &out), Error::kIncomplete) << at;
    ASSERT_EQ(Feed(&parser, Octets(stream).subspan(at), &out), Error::kIncomplete) << at;
    ASSERT_EQ(out, stream) << at;
  }
}

TEST(PptpStream, AMessageComesWithItsLastOctetAndNotBefore) {
  const OctetVector request = Row("EchoRQ");
  StreamParser parser;
  Octets in = Octets(request).first(15);
  EXPECT_EQ(parser.Next(in).error(), Error::kIncomplete);
  EXPECT_TRUE(in.empty());
  in = Octets(request).subspan(15);
  ASSERT_TRUE(parser.Next(in).has_value());
  EXPECT_TRUE(in.empty());
}

TEST(PptpStream, AnUnknownTypeIsConsumedAndTheNextMessageParsed) {
  OctetVector stream = Row("EchoRQ");
  StoreBe16(&stream[8], 77);
  const OctetVector next = Row("StopCCRP_ok");
  stream.insert(stream.end(), next.begin(), next.end());
  for (size_t at = 0; at <= stream.size(); ++at) {
    StreamParser parser;
    Octets parts[] = {Octets(stream).first(at), Octets(stream).subspan(at)};
    int unknown = 0;
    int parsed = 0;
    for (Octets& part : parts) {
      while (true) {
        const auto message = parser.Next(part);
        if (!message.has_value() && message.error() == Error::kIncomplete) {
          break;
        }
        message.has_value() ? ++parsed : ++unknown;
        ASSERT_TRUE(message.has_value() || message.error() == Error::kUnknownType);
      }
    }
    EXPECT_EQ(unknown, 1) << at;
    EXPECT_EQ(parsed, 1) << at;
  }
}

TEST(PptpStream, AnErrorStaysAndDoesNotDependOnTheSegments) {
  struct Case {
    size_t offset;
    uint16_t value;
    Error error;
  };
  for (const Case& c : {Case{0, 11, Error::kBadLength}, Case{0, 221, Error::kBadLength},
                        Case{0, 20, Error::kBadLength}, Case{2, 2, Error::kBadMessageType},
                        Case{4, 0x1a2c, Error::kBadCookie}}) {
    OctetVector stream = Row("EchoRP");
    const size_t good_len = stream.size();
    const OctetVector bad = Row("EchoRQ");
    stream.insert(stream.end(), bad.begin(), bad.end());
    StoreBe16(&stream[good_len + c.offset], c.value);
    for (size_t at = 0; at <= stream.size(); ++at) {
      StreamParser parser;
      OctetVector out;
      Error error = Feed(&parser, Octets(stream).first(at), &out);
      EXPECT_TRUE(error == c.error || error == Error::kIncomplete);
      error = Feed(&parser, Octets(stream).subspan(at), &out);
      EXPECT_EQ(error, c.error) << at;
      EXPECT_EQ(out, Row("EchoRP")) << at;
      EXPECT_EQ(Feed(&parser, Row("EchoRQ"), &out), c.error) << "an error must stay";
    }
  }
}

}  // namespace
}  // namespace culvert::wire::pptp
