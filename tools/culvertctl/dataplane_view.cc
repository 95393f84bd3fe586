#include "tools/culvertctl/dataplane_view.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

namespace dp = dataplane::v1;
using management::v1::GetDataplaneResponse;
constexpr auto kRight = Table::Align::kRight;

void Append(const Table& table, std::vector<std::string>* lines) {
  if (!lines->empty()) lines->emplace_back();
  for (std::string& line : table.Lines()) lines->push_back(std::move(line));
}

std::string CyclesAPacket(uint64_t cycles, uint64_t packets) {
  if (packets == 0) return "-";
  return fmt::format("{:.1f}", static_cast<double>(cycles) / static_cast<double>(packets));
}

// LongRounds counts those of 128 us and more.
uint64_t LongRounds(const dp::WorkerCounters& worker) {
  constexpr int kFirst = 8;  // 2^7 us
  uint64_t num = 0;
  for (int i = kFirst; i < worker.rounds_size(); ++i) num += worker.rounds(i);
  return num;
}

Table Workers(const GetDataplaneResponse& dataplane) {
  Table table({{"WORKER"},
               {"RECEIVED", kRight},
               {"TRANSMITTED", kRight},
               {"PUNTED", kRight},
               {"HANDED OVER", kRight},
               {"CONSUMED", kRight},
               {"ICMP ERRORS", kRight},
               {"DROPPED", kRight},
               {"IN HAND-OVER", kRight},
               {"IN PUNT", kRight},
               {"EVENTS", kRight},
               {"ROUNDS OVER 128 US", kRight},
               {"LONGEST US", kRight}});
  for (const dp::WorkerCounters& worker : dataplane.workers()) {
    uint64_t drops = 0;
    for (const dp::DropCounter& drop : worker.drops()) drops += drop.packets();
    table.AddRow({std::to_string(worker.worker()), std::to_string(worker.received()),
                  std::to_string(worker.transmitted()), std::to_string(worker.punted()),
                  std::to_string(worker.handed_over()), std::to_string(worker.consumed()),
                  std::to_string(worker.icmp_errors()), std::to_string(drops),
                  std::to_string(worker.hand_over_depth()), std::to_string(worker.punted_depth()),
                  std::to_string(worker.events_depth()), std::to_string(LongRounds(worker)),
                  std::to_string(worker.longest_round_us())});
  }
  return table;
}

Table Stages(const GetDataplaneResponse& dataplane) {
  Table table({{"WORKER"}, {"STAGE"}, {"PACKETS", kRight}, {"CYCLES A PACKET", kRight}});
  for (const dp::WorkerCounters& worker : dataplane.workers()) {
    for (const dp::StageCounter& stage : worker.stages()) {
      table.AddRow({std::to_string(worker.worker()), stage.name(), std::to_string(stage.packets()),
                    CyclesAPacket(stage.cycles(), stage.packets())});
    }
  }
  return table;
}

// Drops: a row for each reason that ever happened, a column for each worker.
Table Drops(const GetDataplaneResponse& dataplane) {
  std::vector<Table::Column> columns = {{"DROP"}};
  for (const dp::WorkerCounters& worker : dataplane.workers()) {
    columns.push_back({fmt::format("WORKER {}", worker.worker()), kRight});
  }
  columns.push_back({"WHAT"});
  columns.push_back({"SOURCE"});
  Table table(std::move(columns));
  const int num_reasons = dataplane.workers_size() > 0 ? dataplane.workers(0).drops_size() : 0;
  for (int i = 0; i < num_reasons; ++i) {
    const dp::DropCounter& reason = dataplane.workers(0).drops(i);
    std::vector<std::string> row = {reason.reason()};
    uint64_t sum = 0;
    for (const dp::WorkerCounters& worker : dataplane.workers()) {
      const uint64_t packets = i < worker.drops_size() ? worker.drops(i).packets() : 0;
      sum += packets;
      row.push_back(std::to_string(packets));
    }
    row.push_back(reason.text());
    row.push_back(reason.source());
    if (sum > 0) table.AddRow(std::move(row));
  }
  return table;
}

Table Ports(const GetDataplaneResponse& dataplane) {
  Table table({{"PORT"},
               {"LINK"},
               {"RX PACKETS", kRight},
               {"RX OCTETS", kRight},
               {"RX MISSED", kRight},
               {"NO BUFFER", kRight},
               {"TX PACKETS", kRight},
               {"TX OCTETS", kRight},
               {"TX DROPPED", kRight},
               {"NO LINK", kRight},
               {"TAP DROPPED", kRight}});
  for (const dp::PortCounters& port : dataplane.ports()) {
    table.AddRow({port.name(), port.link_up() ? "up" : "down", std::to_string(port.rx_packets()),
                  FormatOctets(port.rx_octets()), std::to_string(port.rx_missed()),
                  std::to_string(port.rx_no_buffer()), std::to_string(port.tx_packets()),
                  FormatOctets(port.tx_octets()), std::to_string(port.tx_dropped()),
                  std::to_string(port.tx_down()), std::to_string(port.tap_dropped())});
  }
  return table;
}

// Queues: of ports that tell them apart; queue i is worker i's.
Table Queues(const GetDataplaneResponse& dataplane) {
  Table table({{"PORT"},
               {"QUEUE"},
               {"RX PACKETS", kRight},
               {"RX DROPPED", kRight},
               {"TX PACKETS", kRight}});
  for (const dp::PortCounters& port : dataplane.ports()) {
    for (int i = 0; i < port.queues_size(); ++i) {
      table.AddRow({port.name(), std::to_string(i), std::to_string(port.queues(i).rx_packets()),
                    std::to_string(port.queues(i).rx_dropped()),
                    std::to_string(port.queues(i).tx_packets())});
    }
  }
  return table;
}

}  // namespace

std::vector<std::string> DataplaneTables(const GetDataplaneResponse& dataplane) {
  std::vector<std::string> lines = {fmt::format("{} calls; {} of {} packet buffers in use",
                                                dataplane.num_calls(), dataplane.mbufs_in_use(),
                                                dataplane.mbufs_total())};
  Append(Workers(dataplane), &lines);
  Append(Stages(dataplane), &lines);
  Append(Drops(dataplane), &lines);
  Append(Ports(dataplane), &lines);
  if (const Table queues = Queues(dataplane); queues.Lines().size() > 1) Append(queues, &lines);
  return lines;
}

std::vector<std::string> TraceLines(const dp::TracedPacket& packet) {
  google::protobuf::Timestamp time;
  time.set_seconds(static_cast<int64_t>(packet.time_ns() / 1'000'000'000));
  std::vector<std::string> lines = {fmt::format(
      "{}.{:06} {} {} octets, worker {}", FormatTime(time), packet.time_ns() % 1'000'000'000 / 1000,
      packet.downstream() ? "downstream" : "upstream", packet.length(), packet.worker())};
  for (const dp::TracedStep& step : packet.steps()) {
    lines.push_back(fmt::format("  {:<24} {}{}{}", step.name(), step.verdict(),
                                step.drop_reason().empty() ? "" : ": ", step.drop_reason()));
  }
  return lines;
}

}  // namespace culvert::ctl
