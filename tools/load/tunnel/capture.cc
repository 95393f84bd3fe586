#include "tools/load/tunnel/capture.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace culvert::load {

namespace {

constexpr uint32_t kMagic = 0xa1b2c3d4;  // host order, microseconds
constexpr uint32_t kSnapLen = 65535;
constexpr uint32_t kLinkTypeIpv4 = 228;

struct FileHeader {
  uint32_t magic = kMagic;
  uint16_t major = 2, minor = 4;
  uint32_t zone = 0, accuracy = 0;
  uint32_t snap_len = kSnapLen, link_type = kLinkTypeIpv4;
};
struct PacketHeader {
  uint32_t seconds, microseconds, len, original_len;
};

}  // namespace

std::string Capture::Open(const std::string& path) {
  Close();
  file_ = std::fopen(path.c_str(), "wb");
  if (file_ == nullptr) {
    return std::strerror(errno);
  }
  const FileHeader header;
  std::fwrite(&header, sizeof header, 1, file_);
  return "";
}

void Capture::Write(std::span<const uint8_t> packet) {
  if (file_ == nullptr) {
    return;
  }
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  const auto len = static_cast<uint32_t>(packet.size());
  const PacketHeader header{.seconds = static_cast<uint32_t>(now_us / 1'000'000),
                            .microseconds = static_cast<uint32_t>(now_us % 1'000'000),
                            .len = len,
                            .original_len = len};
  std::fwrite(&header, sizeof header, 1, file_);
  std::fwrite(packet.data(), packet.size(), 1, file_);
}

void Capture::Close() {
  if (file_ != nullptr) {
    std::fclose(std::exchange(file_, nullptr));
  }
}

}  // namespace culvert::load
