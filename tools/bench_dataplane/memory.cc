// tools/bench memory: what the data plane takes for its calls, by parts, after each call has been
// programmed and has had a packet each way.
#include <rte_malloc.h>
#include <rte_mempool.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "tools/bench_dataplane/modes.h"
#include "tools/bench_dataplane/one_core.h"
#include "tools/bench_dataplane/row.h"
#include "tools/bench_dataplane/traffic.h"

namespace culvert::bench {
namespace {

// Memory: octets resident. What EAL has got from the kernel in advance counts as far as it is
// allocated.
struct Memory {
  double table = 0;  // memory files: the call table
  double eal = 0;    // forwarding tables, rings, buffers
  double heap = 0;   // all else of the process
};

double EalAllocated() {
  double octets = 0;
  for (int socket = 0; socket < RTE_MAX_NUMA_NODES; ++socket) {
    rte_malloc_socket_stats stats{};
    if (rte_malloc_get_socket_stats(socket, &stats) == 0) {
      octets += static_cast<double>(stats.heap_allocsz_bytes);
    }
  }
  return octets;
}

bool Contains(const std::string& line, const char* part) {
  return line.find(part) != std::string::npos;
}

// ReadMemory goes through smaps, where each mapping begins with a line that has its name.
Memory ReadMemory() {
  Memory memory;
  memory.eal = EalAllocated();
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  double* part = nullptr;
  while (std::getline(smaps, line)) {
    std::istringstream words(line);
    std::string key;
    double kilobytes = 0;
    words >> key;
    if (key.back() != ':') {
      const bool is_eal = Contains(line, "nohuge") || Contains(line, "rtemap") ||
                          Contains(line, "anon_hugepage") || Contains(line, "/hugepages");
      part = is_eal ? nullptr : Contains(line, "culvert-") ? &memory.table : &memory.heap;
    } else if (part != nullptr &&
               (key == "Rss:" || key == "Shared_Hugetlb:" || key == "Private_Hugetlb:")) {
      words >> kilobytes;
      *part += 1024 * kilobytes;
    }
  }
  return memory;
}

double OctetsOf(const rte_mempool& pool) {
  return static_cast<double>(pool.size) * (pool.elt_size + pool.header_size + pool.trailer_size);
}

// Pass gives each call a packet, so that what is only made with the first one is there.
bool Pass(Traffic* traffic, dataplane::Rig* rig) {
  OneCore core(rig, traffic->input_port(), traffic->output_port());
  Batch batch;
  uint64_t num_in = 0;
  for (unsigned call = 0; call < traffic->num_calls(); num_in += kBatch) {
    Allocate(*rig, &batch);
    for (rte_mbuf* mbuf : batch) {
      traffic->FillOne(call++ % traffic->num_calls(), mbuf);
    }
    traffic->Finish();
    core.Drain(batch);
    uint64_t num_acks = 0;
    core.Settle(&num_acks);
  }
  // Acknowledgements of the way up may leave along with the packets down.
  const bool ok = core.num_out() >= num_in && rig->TotalDrops() == 0;
  if (!ok) {
    std::fprintf(stderr, "bench: %lu of %lu packets came out\n", core.num_out(), num_in);
    SayDrops(rig);
  }
  return ok;
}

}  // namespace

int MeasureMemory(const Options& options) {
  const TrafficSpec spec{true, options.mppe == "128", options.size, options.calls, false};
  const Memory before = ReadMemory();
  dataplane::Rig rig(Traffic::RigOptions(spec));
  const double buffers = OctetsOf(*rig.mbufs());
  const Memory empty = ReadMemory();
  Traffic traffic(spec, &rig);
  if (!traffic.ok() || !Pass(&traffic, &rig)) {
    return 1;
  }
  traffic.TurnDownstream();
  if (!Pass(&traffic, &rig)) {
    return 1;
  }
  const Memory after = ReadMemory();
  const double table = after.table - before.table;
  const double eal = after.eal - before.eal - buffers;
  const double heap = after.heap - before.heap - static_cast<double>(traffic.OwnOctets());
  const double without_calls =
      empty.table - before.table + empty.eal - before.eal - buffers + empty.heap - before.heap;
  Row row("memory");
  row.Text("mppe", options.mppe).Count("calls", options.calls);
  row.Number("octets_per_call", (table + eal + heap - without_calls) / options.calls, 1);
  row.Number("table_per_call", (table - empty.table + before.table) / options.calls, 1);
  row.Number("forwarding_per_call", (eal - empty.eal + before.eal + buffers) / options.calls, 1);
  row.Number("heap_per_call", (heap - empty.heap + before.heap) / options.calls, 1);
  row.Number("total_mb", (table + eal + heap) / 1e6, 1);
  row.Number("total_per_call", (table + eal + heap) / options.calls, 1);
  row.Number("without_calls_mb", without_calls / 1e6, 1).Number("buffers_mb", buffers / 1e6, 1);
  row.Print();
  return 0;
}

}  // namespace culvert::bench
