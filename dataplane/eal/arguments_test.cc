#include "dataplane/eal/arguments.h"

#include <absl/strings/str_join.h>
#include <gtest/gtest.h>

namespace culvert::dataplane {
namespace {

EalSpec Spec() {
  EalSpec spec;
  spec.file_prefix = "culvert-7";
  spec.main_core = 0;
  spec.worker_cores = {1};
  spec.memory_mb = 256;
  return spec;
}

std::string Line(const EalSpec& spec) { return absl::StrJoin(EalArguments(spec), " "); }

TEST(EalArguments, VirtualDevicesNeedNoPciAndNoHugePages) {
  EalSpec spec = Spec();
  spec.devices = {*ParseDevice("net_af_packet0,iface=acc0,qpairs=1")};
  EXPECT_EQ(Line(spec),
            "culvert-dataplane --no-telemetry --file-prefix culvert-7 --lcores 0@0,1@1 "
            "--main-lcore 0 --no-huge --no-shconf -m 256 --no-pci "
            "--vdev net_af_packet0,iface=acc0,qpairs=1");
}

TEST(EalArguments, AllowsOnlyTheGivenPciDevices) {
  EalSpec spec = Spec();
  spec.huge_pages = true;
  spec.devices = {*ParseDevice("01:00.0"), *ParseDevice("net_null0")};
  const std::string line = Line(spec);
  EXPECT_NE(line.find(" --in-memory -m 256 --allow 0000:01:00.0 --vdev net_null0"),
            std::string::npos)
      << line;
  EXPECT_EQ(line.find("--no-pci"), std::string::npos);
  EXPECT_EQ(line.find("--no-huge"), std::string::npos);
}

TEST(EalArguments, WorkersMayShareTheMainCore) {
  EalSpec spec = Spec();
  spec.worker_cores = {0, 1, 0};
  EXPECT_NE(Line(spec).find("--lcores 0@0,1@0,2@1,3@0 --main-lcore 0"), std::string::npos);
}

}  // namespace
}  // namespace culvert::dataplane
