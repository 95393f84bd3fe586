// Gauge reads another process' CPU time and memory from /proc.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace culvert::bench {

class Gauge {
 public:
  explicit Gauge(int pid) : folder_("/proc/" + std::to_string(pid)) {}

  // cpu_us: user and system time so far, of all threads.
  [[nodiscard]] uint64_t cpu_us() const {
    std::ifstream file(folder_ + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    // Field 14 and 15; the command in field 2 may hold spaces.
    const char* at = text.c_str() + text.rfind(')') + 1;
    unsigned long user = 0, system = 0;
    if (sscanf(at, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
      return 0;
    }
    return (user + system) * (1'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
  }
  // rss: octets in memory.
  [[nodiscard]] uint64_t rss() const {
    std::ifstream file(folder_ + "/statm");
    uint64_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }

 private:
  const std::string folder_;
};

}  // namespace culvert::bench
