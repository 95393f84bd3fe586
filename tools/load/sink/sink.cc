// culvert-load sink: counts the probes that come out of tunnels, and answers them.
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "proto/config/address/address.h"
#include "tools/load/packet/inner.h"
#include "tools/load/packet/sink_calls.h"
#include "tools/load/sink/udp_batch.h"
#include "tools/load/subcommand.h"

namespace culvert::load {
namespace {

constexpr char kDefaultListen[] = "0.0.0.0:5011";
constexpr uint64_t kForgetEveryMs = 10'000;

uint64_t NowMs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

class Sink {
 public:
  UdpBatch& socket() { return socket_; }
  [[nodiscard]] const SinkCalls& calls() const { return calls_; }

  void Receive(uint64_t now_ms) {
    constexpr unsigned kMaxBatches = 64;  // before signals get their turn
    unsigned count = UdpBatch::kMax;
    for (unsigned batch = 0; batch < kMaxBatches && count == UdpBatch::kMax; ++batch) {
      count = socket_.Receive();
      for (unsigned i = 0; i < count; ++i) {
        Take(socket_.payload(i), socket_.from(i), now_ms);
      }
      socket_.Flush();
    }
    if (now_ms - forgotten_ms_ > kForgetEveryMs) {
      forgotten_ms_ = now_ms;
      calls_.Forget(now_ms);
    }
  }

 private:
  void Take(std::span<const uint8_t> payload, const UdpBatch::From& from, uint64_t now_ms) {
    const Parsed parsed = ParseProbe(payload);
    if (parsed.error == ProbeError::kCorrupted) {
      return calls_.TakeCorrupted(parsed.probe);
    }
    const Probe& probe = parsed.probe;
    if (parsed.error || probe.kind == ProbeKind::kAnswer || probe.kind == ProbeKind::kReport) {
      return;
    }
    SinkCalls::Call* call = calls_.Take(probe, payload.size(), now_ms);
    if (call == nullptr) {
      return;
    }
    if (probe.kind == ProbeKind::kAsk) {
      Probe report = probe;
      report.kind = ProbeKind::kReport;
      return EmitProbe(report, &call->counts, socket_.Add(from, kReportLen));
    }
    Answer(probe, call, from);
  }

  // Answer: never more octets than kMaxAnswers packets for one, so that a forged probe is no
  // lever.
  void Answer(const Probe& probe, SinkCalls::Call* call, const UdpBatch::From& from) {
    constexpr uint16_t kMaxAnswers = 16;
    const uint16_t answers = std::min(probe.answers, kMaxAnswers);
    const size_t len = std::clamp<size_t>(probe.answer_len, kProbeLen, UdpBatch::kMaxLen);
    for (uint16_t i = 0; i < answers; ++i) {
      Probe answer = probe;
      answer.kind = ProbeKind::kAnswer;
      answer.sequence = call->next_answer++;
      EmitProbe(answer, nullptr, socket_.Add(from, len));
    }
    calls_.CountAnswers(call, answers, answers * (kIpUdpLen + len));
  }

  UdpBatch socket_;
  SinkCalls calls_;
  uint64_t forgotten_ms_ = 0;
};

int RunSink(const std::string& listen) {
  const auto endpoint = config::ParseEndpoint(listen);
  Sink sink;
  if (const std::string wrong = sink.socket().Open(endpoint->address, endpoint->port);
      !wrong.empty()) {
    std::fputs(fmt::format("culvert-load sink: cannot listen on {}: {}\n", listen, wrong).c_str(),
               stderr);
    return kCannotStart;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
  std::fputs(fmt::format("culvert-load sink: listening on {}\n", listen).c_str(), stdout);
  std::fflush(stdout);
  pollfd polled[] = {{sink.socket().fd(), POLLIN, 0}, {signal_fd, POLLIN, 0}};
  while ((polled[1].revents & POLLIN) == 0) {
    poll(polled, 2, -1);
    sink.Receive(NowMs());
  }
  const SinkCounts& total = sink.calls().total();
  const std::string said = fmt::format(
      "culvert-load sink: {} packets, {} octets, {} late, {} duplicated, {} corrupted; {} answers, "
      "{} not sent\n",
      total.packets, total.octets, total.late, total.duplicated, total.corrupted, total.answers,
      sink.socket().num_unsent());
  std::fputs(said.c_str(), stdout);
  return kHeld;
}

}  // namespace

void AddSink(CLI::App* app, Chosen* chosen) {
  CLI::App* command =
      app->add_subcommand("sink", "count and answer the packets of `run`, behind the server");
  auto listen = std::make_shared<std::string>(kDefaultListen);
  command->add_option("--listen", *listen, "address and UDP port")
      ->capture_default_str()
      ->check([](const std::string& text) {
        return config::ParseEndpoint(text)
                   ? std::string()
                   : "\"" + text + "\" is not an address and a port such as 0.0.0.0:5011";
      });
  command->callback([chosen, listen] { *chosen = [listen] { return RunSink(*listen); }; });
}

}  // namespace culvert::load
