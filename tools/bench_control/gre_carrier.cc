#include "tools/bench_control/gre_carrier.h"

#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "proto/wire/gre.h"

namespace culvert::bench {

namespace v1 = dataplane::v1;
namespace gre = wire::gre;

namespace {
constexpr size_t kPlaces = 256 * 65536;
constexpr int kSocketBuffer = 64 << 20;
constexpr uint64_t kHandle = uint64_t{1} << 32;  // no handle is 0
}  // namespace

GreCarrier::GreCarrier(const std::string& socket_path)
    : socket_(socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, gre::kIpProtocol)),
      calls_(kPlaces),
      by_own_(kPlaces),
      buffers_(std::make_unique<Buffers>()),
      stub_(v1::Dataplane::NewStub(
          grpc::CreateChannel("unix:" + socket_path, grpc::InsecureChannelCredentials()))) {
  if (socket_ < 0) {
    perror("bench: raw socket");
    exit(1);
  }
  setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer);
  setsockopt(socket_, SOL_SOCKET, SO_SNDBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer);
}

GreCarrier::~GreCarrier() { close(socket_); }

uint64_t GreCarrier::Open(const Ends& ends) {
  const uint32_t place = Place(ends.concentrator, ends.call_id);
  calls_[place] = {.ends = ends};
  by_own_[Place(ends.concentrator, ends.own_call_id)] = ends.call_id;
  return kHandle | place;
}

void GreCarrier::Send(v1::FrameBatch frames) {
  std::array<mmsghdr, kBurst> messages{};
  std::array<iovec, kBurst> vectors;
  std::array<sockaddr_in, kBurst> addresses{};
  int next = 0;
  while (next < frames.frames_size()) {
    unsigned count = 0;
    for (; count < kBurst && next < frames.frames_size(); ++count, ++next) {
      const v1::Frame& frame = frames.frames(next);
      Call& call = calls_[frame.handle() & 0xffffff];
      uint8_t* const packet = (*buffers_)[count].data();
      // Address and control (RFC 1661 s3.1) are not in the frames.
      size_t len = gre::Emit({.payload_len = static_cast<uint16_t>(2 + frame.data().size()),
                              .call_id = call.ends.call_id,
                              .has_sequence = true,
                              .sequence = call.next_sequence++},
                             packet);
      packet[len++] = 0xff;
      packet[len++] = 0x03;
      std::memcpy(packet + len, frame.data().data(),
                  std::min(frame.data().size(), kPacketLen - len));
      vectors[count] = {.iov_base = packet, .iov_len = len + frame.data().size()};
      addresses[count].sin_family = AF_INET;
      addresses[count].sin_addr.s_addr = htonl(call.ends.concentrator);
      messages[count].msg_hdr = {};
      messages[count].msg_hdr.msg_name = &addresses[count];
      messages[count].msg_hdr.msg_namelen = sizeof addresses[count];
      messages[count].msg_hdr.msg_iov = &vectors[count];
      messages[count].msg_hdr.msg_iovlen = 1;
    }
    // What finds no room is lost, as on any link; PPP sends it again.
    sendmmsg(socket_, messages.data(), count, 0);
    packets_ += count;
  }
}

void GreCarrier::OnPacket(const uint8_t* packet, size_t len, v1::FrameBatch* batch) {
  const size_t ip_len = static_cast<size_t>(packet[0] & 0x0f) * 4;
  if (len < ip_len + gre::kMinHeaderLen) {
    return;
  }
  const uint32_t source = wire::LoadBe32(packet + 12);
  const auto header = gre::Parse({packet + ip_len, len - ip_len});
  if (!header || !header->has_sequence) {
    return;  // an acknowledgement
  }
  const uint8_t* frame = packet + ip_len + gre::HeaderLen(*header);
  size_t frame_len = header->payload_len;
  if (frame_len >= 2 && frame[0] == 0xff && frame[1] == 0x03) {
    frame += 2;
    frame_len -= 2;
  }
  v1::Frame& added = *batch->add_frames();
  added.set_handle(kHandle | Place(source, by_own_[Place(source, header->call_id)]));
  added.set_data(frame, frame_len);
}

std::vector<v1::FrameBatch> GreCarrier::Take() {
  std::array<mmsghdr, kBurst> messages{};
  std::array<iovec, kBurst> vectors;
  for (size_t i = 0; i < kBurst; ++i) {
    vectors[i] = {.iov_base = (*buffers_)[i].data(), .iov_len = kPacketLen};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  v1::FrameBatch batch;
  for (;;) {
    const int count = recvmmsg(socket_, messages.data(), kBurst, 0, nullptr);
    for (int i = 0; i < count; ++i) {
      OnPacket((*buffers_)[static_cast<size_t>(i)].data(), messages[static_cast<size_t>(i)].msg_len,
               &batch);
    }
    packets_ += static_cast<uint64_t>(std::max(count, 0));
    if (count < static_cast<int>(kBurst)) {
      break;
    }
  }
  std::vector<v1::FrameBatch> batches;
  if (batch.frames_size() != 0) {
    batches.push_back(std::move(batch));
  }
  return batches;
}

size_t GreCarrier::num_calls() {
  grpc::ClientContext context;
  const auto reader = stub_->List(&context, {});
  v1::ListResponse response;
  size_t count = 0;
  while (reader->Read(&response)) {
    count += static_cast<size_t>(response.calls_size());
  }
  return reader->Finish().ok() ? count : SIZE_MAX;
}

}  // namespace culvert::bench
