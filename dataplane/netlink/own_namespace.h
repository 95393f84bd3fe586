// For tests: a network namespace of a test's own.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <string>
#include <thread>

namespace culvert::dataplane {

// InNamespace runs a test's body in a thread that has left the namespace of the others; threads and
// programs that it starts are in the new one too.
template <typename Body>
void InNamespace(Body body) {
  bool unshared = false;
  std::thread thread([&] {
    unshared = unshare(CLONE_NEWNET) == 0;
    if (unshared) body();
  });
  thread.join();
  if (!unshared) GTEST_SKIP() << "needs root: a network namespace, TAP and TUN interfaces";
}

// Ip runs ip(8).
inline bool Ip(const std::string& arguments) { return system(("ip " + arguments).c_str()) == 0; }

}  // namespace culvert::dataplane
