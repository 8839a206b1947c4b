//===- Accelerator.cpp - What is known of GPU products --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Accelerator.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace moe::planning;

/// Memory as vendors state it; `nvidia-smi` shows about as many GiB as the data
/// sheet says GB.
static constexpr Bytes gibibytes(double value) {
  return Bytes(value * 1073741824.0);
}

static MessageRamp ramp(double latency, double perRoot, double bandwidth) {
  return {Microseconds(latency), perRoot, GigabytesPerSecond(bandwidth)};
}

/// A product whose all-to-alls nobody has measured for us.
static Accelerator product(llvm::StringRef name, double teraflops,
                           double memoryRate, Bytes memory, double links) {
  return {
      name.str(), TeraflopsPerSecond(teraflops), GigabytesPerSecond(memoryRate),
      memory,     GigabytesPerSecond(links),     "",
      {}};
}

static Accelerator measured(Accelerator accelerator, llvm::StringRef platform,
                            const GroupRamps &ramps) {
  accelerator.platform = platform.str();
  accelerator.ramps = ramps;
  return accelerator;
}

/// Rates: dense bf16 (fp16 for V100), memory bandwidth and memory of the
/// vendors' data sheets. Links: count · NCCL's bandwidth of one link
/// (NVIDIA/nccl src/graph/topo.h).
static std::vector<Accelerator> makeAccelerators() {
  return {
      product("V100", 125, 900, gibibytes(32), 6 * 20.0),
      // Ramps: what `fit-all-to-all --emit` prints, see benchmarks/cost.
      measured(product("A100", 312, 2039, gibibytes(80), 12 * 20.0), "a100_sxm",
               {ramp(10.62, 0.011926, 196.2), ramp(12.17, 0.008317, 211.5),
                ramp(12.36, 0.009535, 225.3)}),
      product("A800", 312, 2039, gibibytes(80), 8 * 20.0),
      product("A40", 149.7, 696, gibibytes(48), 4 * 12.0),
      measured(product("H100", 989.4, 3350, gibibytes(80), 18 * 20.6),
               "h100_sxm",
               {ramp(6.79, 0.006256, 320.8), ramp(7.17, 0.006217, 356.3),
                ramp(8.29, 0.005154, 346.2)}),
      product("H800", 989.4, 3350, gibibytes(80), 8 * 20.6),
      product("H20", 148, 4000, gibibytes(96), 18 * 20.6),
      product("H200", 989.4, 4800, gibibytes(141), 18 * 20.6),
      product("GH200", 989.4, 4000, gibibytes(96), 18 * 20.6),
      measured(product("B200", 2250, 8000, gibibytes(180), 18 * 40.1),
               "b200_sxm",
               {ramp(9.31, 0.006332, 391.0), ramp(10.34, 0.004483, 564.9),
                ramp(10.90, 0.004765, 644.7)}),
      product("GB200", 2500, 8000, gibibytes(186), 18 * 40.1),
      product("L40S", 362, 864, gibibytes(48), 0),
      product("RTX3090", 71, 936, gibibytes(24), 4 * 12.0),
      product("RTX4090", 165.2, 1008, gibibytes(24), 0),
      product("MI300X", 1307.4, 5300, gibibytes(192), 0),
  };
}

llvm::ArrayRef<Accelerator> moe::planning::accelerators() {
  static const std::vector<Accelerator> table = makeAccelerators();
  return table;
}

const Accelerator *moe::planning::findAccelerator(llvm::StringRef name) {
  // "RTX 4090" and "RTX4090" are one word.
  std::string text = name.upper();
  size_t space = text.find("RTX ");
  if (space != std::string::npos) {
    text.erase(space + 3, 1);
  }
  llvm::SmallVector<llvm::StringRef> words;
  llvm::SplitString(text, words, " -_,()");
  for (llvm::StringRef word : words) {
    for (const Accelerator &accelerator : accelerators()) {
      if (word == accelerator.name) {
        return &accelerator;
      }
    }
  }
  return nullptr;
}

std::string moe::planning::knownAccelerators() {
  return llvm::join(llvm::map_range(accelerators(),
                                    [](const Accelerator &accelerator) {
                                      return accelerator.name;
                                    }),
                    ", ");
}
