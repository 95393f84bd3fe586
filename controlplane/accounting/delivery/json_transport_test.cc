#include "controlplane/accounting/delivery/json_transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace culvert::accounting {
namespace {

v1::Record Stop() {
  v1::Record record;
  record.set_kind(v1::KIND_STOP);
  record.set_time_s(1'700'000'000);
  record.set_session_time_s(60);
  record.set_terminate_cause(4);
  record.mutable_traffic()->set_input_octets(UINT64_MAX);
  v1::Session& session = *record.mutable_session();
  session.set_id("00112233445566aa");
  session.set_user(std::string("a\"b\\c\n\xff\0z", 9));
  session.set_peer_address(0xc0000201);
  session.add_classes(std::string("\0\x01", 2));
  session.set_called_number("55");
  session.set_calling_number("+4930");
  return record;
}

TEST(JsonLine, IsJsonWhateverTheNameIs) {
  const nlohmann::json line = nlohmann::json::parse(JsonLine(Stop()));
  EXPECT_EQ(line["kind"], "stop");
  EXPECT_EQ(line["session"], "00112233445566aa");
  EXPECT_EQ(line["user"].get<std::string>(), std::string("a\"b\\c\n\xc3\xbf\0z", 10));
  EXPECT_EQ(line["peer"], "192.0.2.1");
  EXPECT_EQ(line["classes"][0], "0001");
  EXPECT_EQ(line["called"], "55");
  EXPECT_EQ(line["calling"], "+4930");
  EXPECT_EQ(line["input_octets"].get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(line["session_time"], 60);
  EXPECT_EQ(line["terminate_cause"], 4);
  v1::Record on;
  on.set_kind(v1::KIND_ON);
  EXPECT_EQ(nlohmann::json::parse(JsonLine(on)).size(), 3u);
}

TEST(JsonTransport, AppendsAndFollowsARename) {
  std::string folder = ::testing::TempDir() + "json-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/records";
  auto transport = JsonTransport::Open(path);
  ASSERT_TRUE(transport.ok()) << transport.status();
  int acknowledged = 0;
  const auto send = [&] {
    (*transport)->Send(Stop(), 0, [&](bool taken) { acknowledged += taken ? 1 : 0; });
  };
  send();
  send();
  std::filesystem::rename(path, path + ".1");
  send();
  const auto lines = [](const std::string& name) {
    std::ifstream file(name);
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  };
  EXPECT_EQ(lines(path + ".1"), 2);
  EXPECT_EQ(lines(path), 1);
  std::filesystem::remove_all(folder);
  send();
  EXPECT_EQ(acknowledged, 3) << "there is no folder any more";
  EXPECT_FALSE(JsonTransport::Open(path).ok());
}

}  // namespace
}  // namespace culvert::accounting
