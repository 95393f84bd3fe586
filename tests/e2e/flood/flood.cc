// culvert-flood: sends an attacker's packets out of an interface as fast as a packet socket takes
// them, and tells how many went. For the end-to-end tests.
//
// usage: culvert-flood KIND INTERFACE MAC SOURCE DESTINATION CALL_ID SECONDS
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr size_t kFrameLen = 98;
constexpr size_t kIpOffset = 14;
constexpr size_t kGreOffset = kIpOffset + 20;
constexpr unsigned kNumFrames = 1024;

using Frame = std::vector<uint8_t>;

void Put16(Frame* frame, size_t at, unsigned value) {
  (*frame)[at] = static_cast<uint8_t>(value >> 8);
  (*frame)[at + 1] = static_cast<uint8_t>(value);
}

void PutChecksum(Frame* frame) {
  Put16(frame, kIpOffset + 10, 0);
  uint32_t sum = 0;
  for (size_t at = kIpOffset; at < kGreOffset; at += 2) {
    sum += static_cast<uint32_t>((*frame)[at] << 8 | (*frame)[at + 1]);
  }
  sum = (sum & 0xffff) + (sum >> 16);
  Put16(frame, kIpOffset + 10, ~(sum + (sum >> 16)) & 0xffff);
}

struct Target {
  uint8_t mac[6];
  in_addr source;
  in_addr destination;
  unsigned call_id;
};

// Make gives one frame; `random` makes no two alike.
bool Make(const std::string& kind, const Target& target, std::mt19937* random, Frame* frame) {
  frame->assign(kFrameLen, 0);
  for (size_t at = kGreOffset; at < kFrameLen; ++at) {
    (*frame)[at] = static_cast<uint8_t>((*random)());
  }
  std::memcpy(frame->data(), target.mac, sizeof(target.mac));
  (*frame)[6] = 0x02;
  (*frame)[11] = 0x66;
  Put16(frame, 12, ETHERTYPE_IP);
  (*frame)[kIpOffset] = 0x45;
  Put16(frame, kIpOffset + 2, kFrameLen - kIpOffset);
  Put16(frame, kIpOffset + 4, (*random)() & 0xffff);
  (*frame)[kIpOffset + 8] = 64;
  (*frame)[kIpOffset + 9] = IPPROTO_GRE;
  std::memcpy(frame->data() + kIpOffset + 12, &target.source, 4);
  std::memcpy(frame->data() + kIpOffset + 16, &target.destination, 4);
  if (kind == "garbage") {
    Put16(frame, kGreOffset + 2, 0x6558);  // not PPP
  } else {
    const unsigned other = target.call_id ^ (1 + (*random)() % 0xfffe);
    Put16(frame, kGreOffset, 0x3001);
    Put16(frame, kGreOffset + 2, 0x880b);
    Put16(frame, kGreOffset + 4, kFrameLen - kGreOffset - 12);
    Put16(frame, kGreOffset + 6, kind == "unknown-call" ? other : target.call_id);
  }
  if (kind == "fragments") {
    Put16(frame, kIpOffset + 6, 0x2000);  // first ones, that no others follow
  } else if (kind == "late-fragments") {
    Put16(frame, kIpOffset + 6, 0x2000 | (8 + (*random)() % 64));
  } else if (kind != "garbage" && kind != "unknown-call" && kind != "known-call") {
    return false;
  }
  PutChecksum(frame);
  return true;
}

// Send gives the packets sent until `seconds` are over.
uint64_t Send(int fd, std::vector<Frame>* frames, double seconds) {
  std::vector<iovec> parts(kNumFrames);
  std::vector<mmsghdr> messages(kNumFrames);
  for (unsigned i = 0; i < kNumFrames; ++i) {
    parts[i] = {(*frames)[i].data(), (*frames)[i].size()};
    messages[i] = {};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  constexpr unsigned kAtOnce = 64;
  uint64_t sent = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    const auto first = static_cast<unsigned>(sent % (kNumFrames - kAtOnce));
    const int num = sendmmsg(fd, &messages[first], kAtOnce, 0);
    sent += num > 0 ? static_cast<uint64_t>(num) : 0;
  }
  return sent;
}

}  // namespace

int main(int argc, char** argv) {
  Target target{};
  if (argc != 8 ||
      std::sscanf(argv[3], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &target.mac[0], &target.mac[1],
                  &target.mac[2], &target.mac[3], &target.mac[4], &target.mac[5]) != 6 ||
      inet_pton(AF_INET, argv[4], &target.source) != 1 ||
      inet_pton(AF_INET, argv[5], &target.destination) != 1) {
    std::fprintf(stderr,
                 "usage: culvert-flood KIND INTERFACE MAC SOURCE DESTINATION CALL_ID SECONDS\n");
    return 2;
  }
  target.call_id = static_cast<unsigned>(std::atoi(argv[6]));
  std::mt19937 random(1);
  std::vector<Frame> frames(kNumFrames);
  for (Frame& frame : frames) {
    if (!Make(argv[1], target, &random, &frame)) {
      std::fprintf(stderr, "culvert-flood: %s: no such kind\n", argv[1]);
      return 2;
    }
  }
  const int fd = socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(if_nametoindex(argv[2]));
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("culvert-flood");
    return 1;
  }
  // Straight to the driver: a full queue discipline would drop unseen.
  const int yes = 1;
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes));
  const double seconds = std::atof(argv[7]);
  const uint64_t sent = Send(fd, &frames, seconds);
  std::printf("{\"sent\": %lu, \"seconds\": %g}\n", sent, seconds);
  close(fd);
  return 0;
}
