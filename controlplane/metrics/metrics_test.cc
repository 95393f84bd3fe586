#include "controlplane/metrics/metrics.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "controlplane/management/call_directory.h"
#include "controlplane/metrics/metrics_exporter.h"

namespace culvert {
namespace {

using testing::HasSubstr;
using testing::Not;

dataplane::v1::CountersResponse Round() {
  dataplane::v1::CountersResponse round;
  auto* worker = round.add_workers();
  worker->set_worker(1);
  worker->set_received(10);
  auto* stage = worker->add_stages();
  stage->set_name("decrypt");
  stage->set_packets(7);
  stage->set_cycles(900);
  worker->set_hand_over_depth(11);
  worker->set_punted_depth(12);
  worker->set_events_depth(13);
  for (const unsigned num : {20, 4, 1}) worker->add_rounds(num);
  worker->set_rounds_us(2500000);
  worker->set_longest_round_us(1700);
  auto* drop = worker->add_drops();
  drop->set_reason("gre_bad_flags");
  drop = worker->add_drops();
  drop->set_reason("spoofed_source");
  drop->set_packets(18446744073709);
  auto* port = round.add_ports();
  port->set_name("wan0");
  port->set_link_up(true);
  port->set_rx_octets(4000);
  port->set_to_kernel_dropped(7);
  port->add_queues();
  port->add_queues()->set_rx_packets(12);
  round.set_num_calls(3);
  round.set_mbufs_in_use(100);
  round.set_mbufs_total(4096);
  round.set_end_of_round(true);
  return round;
}

TEST(Metrics, SourcesAreAskedAtEachScrape) {
  Metrics metrics("1", nullptr);
  uint64_t value = 0;
  metrics.AddSource([&](std::vector<Reading>& readings) {
    readings.push_back({.name = "a_total", .help = "A", .value = ++value, .labels = {{"k", "x"}}});
    readings.push_back({.name = "a_total", .help = "A", .value = 7, .labels = {{"k", "y"}}});
    readings.push_back({.name = "b", .help = "B", .counter = false, .value = 3});
  });
  EXPECT_THAT(metrics.Collect(), HasSubstr("culvert_a_total{k=\"x\"} 1\n"));
  const std::string text = metrics.Collect();
  EXPECT_THAT(text, HasSubstr("# TYPE culvert_a_total counter\nculvert_a_total{k=\"x\"} 2\n"
                              "culvert_a_total{k=\"y\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE culvert_b gauge\nculvert_b 3\n"));
}

TEST(Metrics, CountsEvents) {
  Metrics metrics("1.2.3", nullptr);
  metrics.OnConnectionAccepted();
  metrics.OnConnectionAccepted();
  metrics.OnConnectionClosed("peer closed");
  metrics.OnCallStarted();
  metrics.OnCallUp(0.2);
  metrics.OnCallEnded("terminated");
  metrics.OnAuthentication(AuthMethod::kMsChapV2, AuthVerdict::kReject);
  const std::string text = metrics.Collect();
  EXPECT_THAT(text, HasSubstr("culvert_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_connections_accepted_total 2\n"));
  EXPECT_THAT(text, HasSubstr("culvert_connections 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_connections_closed_total{reason=\"peer closed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_calls_started_total 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_calls_ended_total{reason=\"terminated\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_call_setup_seconds_bucket{le=\"0.25\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_call_setup_seconds_count 1\n"));
  EXPECT_THAT(text, HasSubstr("{method=\"mschap-v2\",result=\"reject\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{method=\"pap\",result=\"accept\"} 0\n"));
}

TEST(Metrics, NobodyCanGrowTheLabels) {
  Metrics metrics("1", nullptr);
  for (int i = 0; i < 200; ++i) metrics.OnCallEnded("reason " + std::to_string(i));
  const std::string text = metrics.Collect();
  EXPECT_THAT(text, HasSubstr("reason=\"reason 63\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("reason=\"reason 64\"")));
  EXPECT_THAT(text, HasSubstr("reason=\"other\"} 136\n"));
}

TEST(Metrics, GivesEachDropReasonZerosToo) {
  Metrics metrics("1", nullptr);
  EXPECT_THAT(metrics.Collect(), HasSubstr("culvert_dataplane_up 0\n"));
  metrics.OnDataplaneCounters(Round());
  dataplane::v1::CountersResponse more;  // the rest of a round of many calls
  more.add_calls()->set_handle(1);
  metrics.OnDataplaneCounters(more);
  const std::string text = metrics.Collect();
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_up 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_received_packets_total{worker=\"1\"} 10\n"));
  EXPECT_THAT(
      text, HasSubstr("culvert_dataplane_drops_total{worker=\"1\",reason=\"gre_bad_flags\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("reason=\"spoofed_source\"} 18446744073709\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_port_link_up{port=\"wan0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_port_rx_octets_total{port=\"wan0\"} 4000\n"));
  EXPECT_THAT(
      text, HasSubstr("culvert_dataplane_stage_packets_total{worker=\"1\",stage=\"decrypt\"} 7\n"));
  EXPECT_THAT(
      text,
      HasSubstr("culvert_dataplane_stage_cycles_total{worker=\"1\",stage=\"decrypt\"} 900\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_hand_over_depth{worker=\"1\"} 11\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_punted_depth{worker=\"1\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_events_depth{worker=\"1\"} 13\n"));
  const std::string rounds = "culvert_dataplane_round_seconds";
  EXPECT_THAT(text, HasSubstr(rounds + "_count{worker=\"1\"} 25\n"));
  EXPECT_THAT(text, HasSubstr(rounds + "_sum{worker=\"1\"} 2.5\n"));
  EXPECT_THAT(text, HasSubstr(rounds + "_bucket{worker=\"1\",le=\"1e-06\"} 20\n"));
  EXPECT_THAT(text, HasSubstr(rounds + "_bucket{worker=\"1\",le=\"2e-06\"} 24\n"));
  EXPECT_THAT(text, HasSubstr(rounds + "_bucket{worker=\"1\",le=\"+Inf\"} 25\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_longest_round_microseconds{worker=\"1\"} 1700\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_port_to_kernel_dropped_total{port=\"wan0\"} 7\n"));
  EXPECT_THAT(
      text,
      HasSubstr("culvert_dataplane_port_queue_rx_packets_total{port=\"wan0\",queue=\"1\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_calls 3\n"));
  EXPECT_THAT(text, HasSubstr("culvert_dataplane_mbufs_in_use 100\n"));
  metrics.SetDataplaneUp(false);
  EXPECT_THAT(metrics.Collect(), Not(HasSubstr("culvert_dataplane_drops_total")));
}

TEST(Metrics, AddsUpTheShards) {
  Metrics metrics("1", nullptr);
  ppp::PppCounters counters;
  counters.malformed_options = 3;
  metrics.SetPppCounters(0, counters);
  metrics.SetPppCounters(1, counters);
  counters.malformed_options = 5;
  metrics.SetPppCounters(1, counters);
  EXPECT_THAT(metrics.Collect(), HasSubstr("culvert_ppp_malformed_options_total 8\n"));
  pptp::ControlCounters control;
  control.bad_cookies = control.echo_timeouts = control.wan_errors = 2;
  metrics.SetControlCounters(0, control);
  metrics.SetControlCounters(1, control);
  const std::string text = metrics.Collect();
  EXPECT_THAT(text, HasSubstr("culvert_pptp_protocol_errors_total{error=\"bad-cookie\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("culvert_pptp_protocol_errors_total{error=\"bad-length\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("culvert_pptp_timeouts_total{awaited=\"echo\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("culvert_pptp_wan_errors_total 4\n"));
  ipv6::LinkCounters links;
  links.dhcp_replies = 7;
  metrics.SetLinkCounters(0, links);
  metrics.SetLinkCounters(1, links);
  EXPECT_THAT(metrics.Collect(), HasSubstr("culvert_ipv6_dhcp_replies_total 14\n"));
}

TEST(Metrics, ReadsPoolsAndCalls) {
  CallDirectory directory;
  CallRecord record;
  record.id = 1;
  record.phase = ppp::Phase::kOpen;
  directory.Publish(management::v1::CallEvent::UP, record);
  Metrics metrics("1", &directory);
  metrics.SetPoolSource([] { return std::vector<PoolUsage>{{"default", 2, 500, 3, 4}}; });
  const std::string text = metrics.Collect();
  EXPECT_THAT(text, HasSubstr("culvert_calls{state=\"open\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("culvert_calls{state=\"authenticate\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("culvert_pool_addresses{pool=\"default\"} 500\n"));
  EXPECT_THAT(text, HasSubstr("culvert_pool_addresses_used{pool=\"default\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("culvert_pool_addresses_resting{pool=\"default\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("culvert_pool_refused_total{pool=\"default\"} 4\n"));
}

// Loopback is a TCP socket on 127.0.0.1 that listens on a port the kernel chose.
class Loopback {
 public:
  Loopback() : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address_);
    bind(descriptor_, reinterpret_cast<const sockaddr*>(&address_), len);
    listen(descriptor_, 1);
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address_), &len);
  }
  ~Loopback() { Close(); }
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }
  [[nodiscard]] std::string endpoint() const {
    return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port));
  }
  [[nodiscard]] const sockaddr_in& address() const { return address_; }

 private:
  int descriptor_;
  sockaddr_in address_{};
};

std::string HttpGet(const sockaddr_in& address, const std::string& path) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  std::string answer;
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
    EXPECT_EQ(write(descriptor, request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    char buffer[4096];
    ssize_t count = 0;
    while ((count = read(descriptor, buffer, sizeof(buffer))) > 0) answer.append(buffer, count);
  }
  close(descriptor);
  return answer;
}

TEST(MetricsExporter, ServesAllMetrics) {
  Loopback probe;  // a port that is free again in a moment
  const sockaddr_in address = probe.address();
  probe.Close();
  Metrics metrics("1", nullptr);
  metrics.OnDataplaneCounters(Round());
  const auto exporter = MetricsExporter::Start(probe.endpoint(), metrics);
  ASSERT_TRUE(exporter.ok()) << exporter.status();
  const std::string answer = HttpGet(address, "/metrics");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("culvert_build_info{version=\"1\"} 1"));
  EXPECT_THAT(answer, HasSubstr("reason=\"spoofed_source\"} 18446744073709"));
}

TEST(MetricsExporter, ATakenPortIsNamed) {
  const Loopback taken;
  Metrics metrics("1", nullptr);
  const auto exporter = MetricsExporter::Start(taken.endpoint(), metrics);
  ASSERT_FALSE(exporter.ok());
  EXPECT_EQ(std::string(exporter.status().message()),
            "metrics.listen " + taken.endpoint() +
                ": cannot listen there (Address already in use): stop what uses it, set another "
                "metrics.listen, or \"\" for none");
}

}  // namespace
}  // namespace culvert
