#include "tests/fuzz/secret_text.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/property.h"

namespace culvert::fuzz {

SecretText::SecretText(const uint8_t* data, size_t size)
    : file_(memfd_create("fuzz", 0)), path_("/proc/self/fd/" + std::to_string(file_)) {
  Require(file_ >= 0 && fchmod(file_, 0600) == 0, "(the harness can make a file)");
  Require(write(file_, data, size) == static_cast<ssize_t>(size), "(and write to it)");
}

SecretText::~SecretText() { close(file_); }

}  // namespace culvert::fuzz
