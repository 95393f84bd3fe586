// main of dataplane_test: GoogleTest with EAL up.
#include <gtest/gtest.h>

#include "dataplane/rig/eal.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // Listing tests needs no EAL.
  if (!testing::GTEST_FLAG(list_tests)) {
    culvert::dataplane::StartTestEal({});
  }
  const int result = RUN_ALL_TESTS();
  if (!testing::GTEST_FLAG(list_tests)) {
    culvert::dataplane::StopTestEal();
  }
  return result;
}
