//===- GpuProduct.cpp - What is known of GPUs by name ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sources: NVIDIA's and AMD's data sheets for links and PCIe generations, the
// PCI ID database (pci-ids.ucw.cz) for device ids.
//
//===----------------------------------------------------------------------===//

#include "GpuProduct.h"
#include "moe/Planning/LinkConstants.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::topology;
namespace planning = moe::planning;

namespace {
struct Row {
  const char *name;
  int sm;
  const char *gcn;
  int links;
  NvlinkWiring wiring;
  int pcieGeneration;
  /// PCI device ids, `|` between them.
  const char *ids;
};
} // namespace

static constexpr NvlinkWiring none = NvlinkWiring::None;
static constexpr NvlinkWiring unknown = NvlinkWiring::Unknown;
static constexpr NvlinkWiring board = NvlinkWiring::Board;

static constexpr Row rows[] = {
    {"P100", 60, "", 4, unknown, 3, "0x15f9"},
    {"P100 PCIe", 60, "", 0, none, 3, "0x15f7|0x15f8"},
    {"V100", 70, "", 6, unknown, 3, "0x1db1|0x1db5|0x1db8"},
    {"V100 PCIe", 70, "", 0, none, 3, "0x1db4|0x1db6"},
    {"T4", 75, "", 0, none, 3, "0x1eb8"},
    {"A100", 80, "", 12, board, 4, "0x20b0|0x20b2"},
    {"A100 PCIe", 80, "", 12, unknown, 4, "0x20b5|0x20f1"},
    {"A800", 80, "", 8, board, 4, "0x20f3"},
    {"A800 PCIe", 80, "", 8, unknown, 4, "0x20f5"},
    {"A30", 80, "", 4, unknown, 4, "0x20b7"},
    {"A10", 86, "", 0, none, 4, "0x2236"},
    {"A10G", 86, "", 0, none, 4, "0x2237"},
    {"A40", 86, "", 4, unknown, 4, "0x2235"},
    {"RTX A6000", 86, "", 4, unknown, 4, "0x2230"},
    {"RTX3090", 86, "", 4, unknown, 4, "0x2204"},
    {"RTX4090", 89, "", 0, none, 4, "0x2684"},
    {"L4", 89, "", 0, none, 4, "0x27b8"},
    {"L20", 89, "", 0, none, 4, "0x26ba"},
    {"L40", 89, "", 0, none, 4, "0x26b5"},
    {"L40S", 89, "", 0, none, 4, "0x26b9"},
    {"H100", 90, "", 18, board, 5, "0x2330"},
    {"H100 PCIe", 90, "", 12, unknown, 5, "0x2331"},
    {"H100 NVL", 90, "", 12, unknown, 5, "0x2321"},
    {"H800", 90, "", 8, board, 5, "0x2324"},
    {"H20", 90, "", 18, board, 5, "0x2329"},
    {"H200", 90, "", 18, board, 5, "0x2335"},
    {"GH200", 90, "", 18, unknown, 5, "0x2342"},
    {"B200", 100, "", 18, board, 5, "0x2901"},
    {"GB200", 100, "", 18, unknown, 5, "0x2941"},
    {"B300", 103, "", 18, board, 6, "0x3182"},
    {"GB300", 103, "", 18, unknown, 6, "0x31c2"},
    {"RTX5090", 120, "", 0, none, 5, "0x2b85"},
    {"GB10", 121, "", 0, none, 5, "0x2e12"},
    {"MI50", 0, "gfx906", 2, unknown, 4, "0x66a1"},
    {"MI60", 0, "gfx906", 2, unknown, 4, "0x66a0"},
    {"MI100", 0, "gfx908", 3, unknown, 4, "0x738c"},
    {"MI210", 0, "gfx90a", 3, unknown, 4, "0x740f"},
    {"MI250X", 0, "gfx90a", 8, unknown, 4, "0x7408"},
    {"MI250", 0, "gfx90a", 8, unknown, 4, "0x740c"},
    {"MI300X", 0, "gfx942", 7, unknown, 5, "0x74a1"},
};

static GpuProduct toProduct(const Row &row) {
  return {row.name, row.sm, row.gcn, row.links, row.wiring, row.pcieGeneration};
}

planning::GigabytesPerSecond GpuProduct::linkBandwidth() const {
  return sm > 0 ? planning::nvlinkBandwidth(sm) : planning::xgmiBandwidth(gcn);
}

planning::GigabytesPerSecond GpuProduct::pcieBandwidth() const {
  llvm::StringRef speeds[] = {"8.0 GT/s PCIe", "16.0 GT/s PCIe",
                              "32.0 GT/s PCIe", "64.0 GT/s PCIe"};
  return planning::pcieBandwidth(speeds[pcieGeneration - 3], 16);
}

/// Lower case, letters and digits only.
static std::string normalize(llvm::StringRef name) {
  std::string text;
  for (char c : name.lower()) {
    if (llvm::isAlnum(c)) {
      text += c;
    }
  }
  return text;
}

/// Whether what follows a product's name only says more of it, such as its
/// memory: `80gb`, but no `0` that would make it another product.
static bool isDetail(llvm::StringRef rest) {
  llvm::StringRef afterDigits =
      rest.drop_while([](char c) { return llvm::isDigit(c); });
  return afterDigits.size() == rest.size() || afterDigits.starts_with("gb");
}

static GpuProduct ofCapability(int64_t sm) {
  GpuProduct product;
  product.name = llvm::formatv("sm_{0}", sm);
  product.sm = sm;
  // The most links that NCCL looks for.
  product.links = sm < 60 ? 0 : sm < 70 ? 4 : sm < 80 ? 6 : sm < 90 ? 12 : 18;
  product.wiring = NvlinkWiring::Unknown;
  product.pcieGeneration = sm < 80 ? 3 : sm < 90 ? 4 : 5;
  return product;
}

llvm::Expected<GpuProduct> moe::topology::findGpuProduct(llvm::StringRef name) {
  llvm::StringRef digits = name;
  int64_t sm = 0;
  if (digits.consume_front("sm_") && !digits.getAsInteger(10, sm) && sm >= 50 &&
      sm < 200) {
    return ofCapability(sm);
  }
  std::string wanted = normalize(name);
  llvm::StringRef rest = wanted;
  rest.consume_front("nvidia");
  rest.consume_front("amd");
  rest.consume_front("instinct");
  rest.consume_front("geforce");
  const Row *best = nullptr;
  std::string known;
  for (const Row &row : rows) {
    std::string key = normalize(row.name);
    bool isLonger = !best || key.size() > normalize(best->name).size();
    if (rest.starts_with(key) && isDetail(rest.drop_front(key.size())) &&
        isLonger) {
      best = &row;
    }
    known += std::string(row.name) + ", ";
  }
  if (best) {
    return toProduct(*best);
  }
  return llvm::createStringError(
      llvm::formatv("unknown GPU '{0}'; known: {1}or a compute capability such "
                    "as sm_90",
                    name, known)
          .str());
}

std::optional<GpuProduct>
moe::topology::findGpuProduct(llvm::StringRef vendor, llvm::StringRef device) {
  bool isAmd = vendor.equals_insensitive("0x1002");
  if (!isAmd && !vendor.equals_insensitive("0x10de")) {
    return std::nullopt;
  }
  for (const Row &row : rows) {
    llvm::SmallVector<llvm::StringRef, 4> ids;
    llvm::StringRef(row.ids).split(ids, '|');
    for (llvm::StringRef id : ids) {
      if (id.equals_insensitive(device) && (row.sm == 0) == isAmd) {
        return toProduct(row);
      }
    }
  }
  return std::nullopt;
}
