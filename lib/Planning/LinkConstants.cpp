//===- LinkConstants.cpp - Bandwidths and latencies of link types ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include <cassert>

using namespace moe::planning;

static constexpr llvm::StringRef topoHeader =
    "NVIDIA/nccl@5067397 src/graph/topo.h";
static constexpr llvm::StringRef tuning =
    "NVIDIA/nccl@5067397 src/graph/tuning.cc";
static constexpr llvm::StringRef rcclHeader = "ROCm/rccl src/graph/topo.h";

static constexpr LinkConstant table[] = {
    {"nvlink_sm60", 18.0, "GB/s", topoHeader},
    {"nvlink_sm70", 20.0, "GB/s", topoHeader},
    {"nvlink_sm80", 20.0, "GB/s", topoHeader},
    {"nvlink_sm86", 12.0, "GB/s", topoHeader},
    {"nvlink_sm90", 20.6, "GB/s", topoHeader},
    {"nvlink_sm100", 40.1, "GB/s", topoHeader},
    {"xgmi_vega", 24.0, "GB/s", rcclHeader},
    {"xgmi_gfx90a", 36.0, "GB/s", rcclHeader},
    {"xgmi_gfx94", 48.0, "GB/s", rcclHeader},
    {"socket_intel_broadwell", 6.0, "GB/s", topoHeader},
    {"socket_intel_skylake", 10.0, "GB/s", topoHeader},
    {"socket_intel_sapphire_rapids", 22.0, "GB/s", topoHeader},
    {"socket_intel_emerald_rapids", 40.0, "GB/s", topoHeader},
    {"socket_amd", 16.0, "GB/s", topoHeader},
    {"socket_zhaoxin", 6.0, "GB/s", topoHeader},
    {"socket_zhaoxin_yongfeng", 9.0, "GB/s", topoHeader},
    {"socket_power9", 32.0, "GB/s", topoHeader},
    {"socket_arm", 6.0, "GB/s", topoHeader},
    {"latency_nvlink", 3.4, "us", tuning},
    {"latency_pcie", 5.7, "us", tuning},
    {"latency_net", 14.0, "us", tuning},
};

llvm::ArrayRef<LinkConstant> moe::planning::linkConstants() { return table; }

static double constant(llvm::StringRef name) {
  const LinkConstant *found = llvm::find_if(
      table, [&](const LinkConstant &entry) { return entry.name == name; });
  assert(found != std::end(table) && "every constant is in the table");
  return found->value;
}

GigabytesPerSecond moe::planning::nvlinkBandwidth(int64_t sm) {
  llvm::StringRef name = sm >= 100  ? "nvlink_sm100"
                         : sm >= 90 ? "nvlink_sm90"
                         : sm == 86 ? "nvlink_sm86"
                         : sm >= 80 ? "nvlink_sm80"
                         : sm >= 70 ? "nvlink_sm70"
                         : sm >= 60 ? "nvlink_sm60"
                                    : "nvlink_sm80";
  return GigabytesPerSecond(constant(name));
}

GigabytesPerSecond moe::planning::xgmiBandwidth(llvm::StringRef gcn) {
  // Older dumps have a number: 910 is gfx90a, 940 to 942 are gfx94x.
  gcn.consume_front("gfx");
  llvm::StringRef name = gcn == "910" || gcn == "90a" ? "xgmi_gfx90a"
                         : gcn.starts_with("94") || gcn.starts_with("95")
                             ? "xgmi_gfx94"
                             : "xgmi_vega";
  return GigabytesPerSecond(constant(name));
}

/// 100 Mb/s a lane, by the spellings of NCCL's table; 0 for any other.
static double laneSpeed(llvm::StringRef speed) {
  return llvm::StringSwitch<double>(speed)
      .Cases({"2.5 GT/s", "2.5 GT/s PCIe"}, 15)
      .Cases({"5 GT/s", "5.0 GT/s PCIe"}, 30)
      .Cases({"8 GT/s", "8.0 GT/s PCIe"}, 60)
      .Cases({"16 GT/s", "16.0 GT/s PCIe"}, 120)
      .Cases({"32 GT/s", "32.0 GT/s PCIe"}, 240)
      .Case("64.0 GT/s PCIe", 480)
      .Default(0);
}

bool moe::planning::isKnownPcieSpeed(llvm::StringRef speed) {
  return laneSpeed(speed) > 0;
}

GigabytesPerSecond moe::planning::pcieBandwidth(llvm::StringRef speed,
                                                int64_t width) {
  double lane = isKnownPcieSpeed(speed) ? laneSpeed(speed) : 60;
  return GigabytesPerSecond((width == 0 ? 16 : width) * lane / 80);
}

GigabytesPerSecond moe::planning::socketBandwidth(const CpuModel &cpu) {
  if (cpu.architecture == "ppc64") {
    return GigabytesPerSecond(constant("socket_power9"));
  }
  if (cpu.architecture == "arm64") {
    return GigabytesPerSecond(constant("socket_arm"));
  }
  if (cpu.architecture != "x86_64") {
    return localBandwidth;
  }
  if (cpu.vendor == "AuthenticAMD") {
    return GigabytesPerSecond(constant("socket_amd"));
  }
  if (cpu.vendor == "GenuineIntel") {
    bool known = cpu.family == 6;
    llvm::StringRef name =
        known && cpu.model >= 0xCF   ? "socket_intel_emerald_rapids"
        : known && cpu.model >= 0x8F ? "socket_intel_sapphire_rapids"
        : known && cpu.model >= 0x55 ? "socket_intel_skylake"
                                     : "socket_intel_broadwell";
    return GigabytesPerSecond(constant(name));
  }
  if (cpu.vendor == "CentaurHauls" || cpu.vendor == "  Shanghai  ") {
    bool isYongfeng = cpu.family == 7 && cpu.model == 0x5B;
    return GigabytesPerSecond(
        constant(isYongfeng ? "socket_zhaoxin_yongfeng" : "socket_zhaoxin"));
  }
  return localBandwidth;
}

Microseconds moe::planning::classLatency(PathClass pathClass) {
  switch (pathClass) {
  case PathClass::LOC:
    return Microseconds(0);
  case PathClass::NVL:
  case PathClass::NVB:
  case PathClass::C2C:
    return Microseconds(constant("latency_nvlink"));
  case PathClass::PIX:
  case PathClass::PXB:
  case PathClass::P2C:
  case PathClass::PXN:
  case PathClass::PHB:
  case PathClass::SYS:
    return Microseconds(constant("latency_pcie"));
  case PathClass::NET:
  case PathClass::DIS:
    return Microseconds(constant("latency_net"));
  }
  return Microseconds(0);
}
