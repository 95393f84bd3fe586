// culvert-bench-users: what local users cost: reading their files, memory, logins, and how long
// logins wait while the files are read again. See README.md.
#include <malloc.h>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/aaa/admission.h"
#include "controlplane/aaa/local_users.h"
#include "controlplane/aaa/reservations.h"
#include "controlplane/aaa/users/user_files.h"
#include "controlplane/crypto/mschap.h"
#include "proto/config/address/address.h"

namespace culvert::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kFirstFixed = 0x0b000000;  // 11.0.0.0
constexpr uint32_t kFixedEvery = 10;          // of ten users one has an address of its own
constexpr char kPassword[] = "a long password";

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}
uint64_t NowMs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
          .count());
}
std::string NameOf(uint32_t user) { return "customer" + std::to_string(user) + "@isp.example"; }

uint64_t Resident() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Write makes a file of `num` users.
void Write(const std::string& path, bool chap_secrets, uint32_t num) {
  std::ofstream file(path);
  for (uint32_t i = 0; i < num; ++i) {
    const std::string address =
        i % kFixedEvery == 0 ? config::FormatIpv4(kFirstFixed + i / kFixedEvery) : "";
    if (chap_secrets) {
      file << NameOf(i) << " * \"" << kPassword << "\" " << (address.empty() ? "*" : address)
           << "\n";
    } else {
      file << "[[user]]\nname = \"" << NameOf(i) << "\"\npassword = \"" << kPassword << "\"\n";
      if (!address.empty()) {
        file << "address = \"" << address << "\"\n";
      }
    }
  }
  file.close();
  chmod(path.c_str(), 0600);
}

// Logins are MS-CHAPv2 ones through Admission, as a shard does them: address taken and given back.
class Logins {
 public:
  Logins(Admission* admission, uint32_t num_users) : admission_(admission), num_users_(num_users) {}

  // One gives how long it took, in seconds.
  double One() {
    AuthRequest request;
    request.user = NameOf(static_cast<uint32_t>(engine_() % num_users_));
    MsChapV2Exchange exchange;
    exchange.nt_response = crypto::GenerateNtResponse(exchange.challenge, exchange.peer_challenge,
                                                      request.user, crypto::SpanOf16(hash_));
    request.exchange = exchange;
    Lease lease;
    const auto start = Clock::now();
    admission_->Authenticate(std::move(request), [&](AuthResult result) {
      good_ += result.verdict == AuthVerdict::kAccept ? 1 : 0;
      lease = std::move(result.lease);
    });
    admission_->Release(lease);
    ++asked_;
    return Since(start);
  }
  [[nodiscard]] bool all_good() const { return good_ == asked_ && asked_ != 0; }

 private:
  Admission* const admission_;
  const uint32_t num_users_;
  const Secret hash_ =
      *crypto::NtPasswordHash({reinterpret_cast<const uint8_t*>(kPassword), sizeof(kPassword) - 1});
  std::mt19937 engine_{1};
  uint64_t good_ = 0, asked_ = 0;
};

struct Times {
  double median_us = 0, longest_ms = 0;
};
Times LogInWhile(Logins& logins, const std::function<bool()>& more) {
  std::vector<double> times;
  times.reserve(4'000'000);
  while (more()) {
    times.push_back(logins.One());
  }
  if (times.empty()) {
    return {};
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return {.median_us = times[times.size() / 2] * 1e6,
          .longest_ms = *std::max_element(times.begin(), times.end()) * 1e3};
}

double FindNs(const Users& users, uint32_t num) {
  constexpr uint32_t kLooks = 1'000'000;
  std::mt19937 engine(2);
  std::vector<std::string> names(4096);
  double seconds = 0;
  uint32_t found = 0;
  for (uint32_t done = 0; done < kLooks; done += static_cast<uint32_t>(names.size())) {
    for (std::string& name : names) {
      name = NameOf(static_cast<uint32_t>(engine() % num));
    }
    const auto start = Clock::now();
    for (const std::string& name : names) {
      found += users.Find(name).user != nullptr ? 1 : 0;
    }
    seconds += Since(start);
  }
  if (found < kLooks) {
    std::fprintf(stderr, "some users were not found\n");
    std::exit(1);
  }
  return seconds / found * 1e9;
}

void Run(const std::string& folder, bool chap_secrets, uint32_t num) {
  const std::string path = folder + "/users";
  Write(path, chap_secrets, num);
  const UserFiles::Paths paths = {.users_file = chap_secrets ? "" : path,
                                  .chap_secrets_file = chap_secrets ? path : "",
                                  .server_name = "culvert",
                                  .gateway = 1};
  const uint64_t before = Resident();
  const auto start = Clock::now();
  auto users = std::make_shared<Users>();
  if (const UserProblems problems = UserFiles::Read(paths, *users);
      !problems.errors.empty() || !problems.warnings.empty()) {
    std::fprintf(stderr, "the file was not read\n");
    std::exit(1);
  }
  const double load_s = Since(start);
  rusage peak{};
  getrusage(RUSAGE_SELF, &peak);
  const uint64_t held = Resident() - before;
  const double find_ns = FindNs(*users, num);

  AddressPools pools(
      {{.name = "p", .ranges = {{.first = 0x0a000000, .last = 0x0a0fffff}}}}, 30'000,
      [engine = std::mt19937(3)](uint32_t bound) mutable { return engine() % bound; }, 65'536);
  ipv6::PrefixPools prefixes({}, 0);
  Reserve(*users, pools, prefixes);
  LocalUsers local(users);
  UserFiles files(paths, users, [&](const Users& old, const std::shared_ptr<const Users>& now) {
    ReserveBoth(old, *now, pools, prefixes);
    local.Replace(now);
    ReserveNew(old, *now, pools, prefixes);
  });
  users.reset();
  Admission admission({.backend = &local, .pools = &pools, .clock = NowMs}, {});
  Logins logins(&admission, num);
  const auto quiet_end = Clock::now() + std::chrono::seconds(2);
  const Times quiet = LogInWhile(logins, [&] { return Clock::now() < quiet_end; });
  std::ofstream(path, std::ios::app) << "# changed\n";
  std::atomic<bool> reading{true};
  double reload_s = 0;
  std::thread reader([&] {
    const auto begin = Clock::now();
    const bool good = files.ReadNow().empty() && files.num_read() == 1;
    reload_s = Since(begin);
    files.Poll();  // lets the old table go
    reading = false;
    if (!good) {
      std::exit(1);
    }
  });
  const Times busy = LogInWhile(logins, [&] { return reading.load(); });
  reader.join();
  if (!logins.all_good()) {
    std::fprintf(stderr, "some logins were refused\n");
    std::exit(1);
  }
  std::printf(
      "{\"bench\": \"users\", \"file\": \"%s\", \"users\": %u, \"load_s\": %.2f, "
      "\"octets_per_user\": %.0f, \"peak_mb\": %ld, \"find_ns\": %.0f, \"login_us\": %.1f, "
      "\"longest_ms\": %.2f, \"reload_s\": %.2f, \"login_us_in_reload\": %.1f, "
      "\"longest_ms_in_reload\": %.2f}\n",
      chap_secrets ? "chap-secrets" : "users", num, load_s, static_cast<double>(held) / num,
      peak.ru_maxrss / 1024, find_ns, quiet.median_us, quiet.longest_ms, reload_s, busy.median_us,
      busy.longest_ms);
}

}  // namespace
}  // namespace culvert::bench

int main(int argc, char** argv) {
  if (argc != 3 || (std::string(argv[1]) != "users" && std::string(argv[1]) != "chap-secrets") ||
      std::atoi(argv[2]) < 10) {
    std::fprintf(stderr, "usage: culvert-bench-users users|chap-secrets NUMBER\n");
    return 2;
  }
  spdlog::set_level(spdlog::level::err);
  std::string folder = "/tmp/culvert-bench-users-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  culvert::bench::Run(folder, std::string(argv[1]) == "chap-secrets",
                      static_cast<uint32_t>(std::atoi(argv[2])));
  unlink((folder + "/users").c_str());
  rmdir(folder.c_str());
  return 0;
}
