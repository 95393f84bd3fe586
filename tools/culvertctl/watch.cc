// `culvertctl calls watch`: a live table in a terminal, else a line for each event.
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

#include "tools/culvertctl/call_view.h"
#include "tools/culvertctl/commands.h"
#include "tools/culvertctl/connection.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

using management::v1::CallEvent;
using Reader = grpc::ClientReaderInterface<CallEvent>;

// PrintEvents: false when nobody reads what is written, true when the server has ended the watch.
bool PrintEvents(bool json, Reader* reader) {
  CallEvent event;
  while (reader->Read(&event)) {
    const std::string line = json ? ToJson(event, false) : EventLine(event);
    std::printf("%s\n", line.c_str());
    if (std::fflush(stdout) != 0) return false;
  }
  return true;
}

void Draw(const LiveCalls& calls, bool first) {
  winsize size{};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  // From the top left; each line and then the screen is cleared behind what is written, so that
  // nothing flickers.
  std::string screen = first ? "\x1b[2J\x1b[H" : "\x1b[H";
  for (const std::string& line : calls.Screen(size.ws_row > 1 ? size.ws_row - 1 : 0, size.ws_col)) {
    screen += line + "\x1b[K\n";
  }
  screen += "\x1b[J";
  std::fwrite(screen.data(), 1, screen.size(), stdout);
  std::fflush(stdout);
}

// DrawTable reads events in a thread of its own and draws at a steady pace.
void DrawTable(std::chrono::milliseconds interval, Reader* reader) {
  std::mutex mutex;
  std::condition_variable changed;
  LiveCalls calls;
  bool ended = false;
  std::thread reading([&] {
    CallEvent event;
    while (reader->Read(&event)) {
      const std::lock_guard lock(mutex);
      calls.OnEvent(event);
      if (event.kind() == CallEvent::SNAPSHOT_END) changed.notify_one();
    }
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return calls.complete() || ended; });
  for (bool first = true; !ended; first = false) {
    Draw(calls, first);
    changed.wait_for(lock, interval, [&] { return ended; });
  }
  lock.unlock();
  reading.join();
}

}  // namespace

int WatchCalls(const Options& options, CallsStub* stub) {
  constexpr double kDefaultIntervalS = 1;
  const bool live = !options.json() && isatty(STDOUT_FILENO) == 1;
  // Lines tell of counters when asked to only: there would be one a call and round.
  const double interval_s =
      options.interval_s == 0 && live ? kDefaultIntervalS : options.interval_s;
  const auto interval_ms = static_cast<uint32_t>(interval_s * 1000 + 0.5);
  grpc::ClientContext context;
  management::v1::WatchCallsRequest request;
  *request.mutable_filter() = options.filter;
  request.set_counters_interval_ms(interval_ms);
  const auto reader = stub->Watch(&context, request);
  if (live) {
    DrawTable(std::chrono::milliseconds(interval_ms), reader.get());
  } else if (!PrintEvents(options.json(), reader.get())) {
    context.TryCancel();
    return kFailed;  // main() says why
  }
  return Report(reader->Finish());
}

}  // namespace culvert::ctl
