// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/KernelReport.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::moe;
using llvm::formatv;

static StringRef describe(KernelProof proof) {
  switch (proof) {
  case KernelProof::AssembledOnly:
    return "assembled only";
  case KernelProof::ExecutedOnEmulatedDevice:
    return "executed on the emulated device";
  case KernelProof::RunOnHardware:
    return "run on hardware";
  }
  llvm_unreachable("all kinds are above");
}

/// The cells of a kernel's row.
static std::vector<std::string> makeRow(const KernelFigures &figures) {
  const KernelResources &resources = figures.resources;
  std::string occupancy = "-";
  std::string limit = "-";
  if (figures.occupancy) {
    occupancy = formatv("{0}/{1}", figures.occupancy->warps,
                        figures.occupancy->mostWarps);
    limit = figures.occupancy->limit.str();
  }
  std::string products = "-";
  std::string ratio = "-";
  if (figures.mainLoop) {
    products = std::to_string(figures.mainLoop->products);
    ratio =
        formatv("{0:F2}", static_cast<double>(figures.mainLoop->instructions) /
                              static_cast<double>(figures.mainLoop->products));
  }
  return {
      resources.kernel,
      figures.threads ? std::to_string(figures.threads) : "-",
      std::to_string(resources.registers),
      formatv("{0} B", resources.spillStoreBytes + resources.spillLoadBytes),
      formatv("{0} B", resources.staticSharedBytes),
      formatv("{0} B", figures.dynamicSharedBytes),
      occupancy,
      limit,
      products,
      ratio};
}

void mlir::moe::printKernelReport(const KernelReport &report,
                                  llvm::raw_ostream &stream) {
  const GPUTarget &target = *report.target;
  stream << formatv("kernels for {0}, by {1}: {2}\n", target.chip,
                    report.assembler, describe(report.proof));
  stream << formatv(
      "  {0}: {1} SMs, bf16 {2} TFLOP/s, f32 {3} TFLOP/s, memory {4} GB/s "
      "({5})\n",
      target.peaks.product, target.peaks.multiprocessors,
      target.peaks.bf16TeraflopsPerSecond, target.peaks.f32TeraflopsPerSecond,
      target.peaks.memoryGigabytesPerSecond, target.peaks.source);
  if (report.disassembler.empty()) {
    stream << "  no nvdisasm in CUDA_HOME, on the PATH or in Python's "
              "site-packages: main loops are not looked at\n";
  }
  std::vector<std::vector<std::string>> rows = {
      {"kernel", "threads", "registers", "spilled", "static shared",
       "dynamic shared", "warps", "limit", "MMAs in loop",
       "instructions per MMA"}};
  for (const KernelFigures &figures : report.kernels) {
    rows.push_back(makeRow(figures));
  }
  std::vector<size_t> widths(rows.front().size());
  for (const std::vector<std::string> &row : rows) {
    for (auto [width, cell] : llvm::zip(widths, row)) {
      width = std::max(width, cell.size());
    }
  }
  for (const std::vector<std::string> &row : rows) {
    stream << "  " << llvm::left_justify(row.front(), widths.front());
    for (size_t column = 1; column < row.size(); ++column) {
      stream << "  " << llvm::right_justify(row[column], widths[column]);
    }
    stream << "\n";
  }
  for (const std::string &warning : report.warnings) {
    stream << "  warning: " << warning << "\n";
  }
}

static llvm::json::Object toJson(const KernelFigures &figures) {
  const KernelResources &resources = figures.resources;
  llvm::json::Object object{
      {"kernel", resources.kernel},
      {"threads", figures.threads ? llvm::json::Value(figures.threads)
                                  : llvm::json::Value(nullptr)},
      {"registers", resources.registers},
      {"spill_store_bytes", resources.spillStoreBytes},
      {"spill_load_bytes", resources.spillLoadBytes},
      {"static_shared_bytes", resources.staticSharedBytes},
      {"dynamic_shared_bytes", figures.dynamicSharedBytes}};
  object["occupancy"] = nullptr;
  if (figures.occupancy) {
    object["occupancy"] =
        llvm::json::Object{{"blocks", figures.occupancy->blocks},
                           {"warps", figures.occupancy->warps},
                           {"most_warps", figures.occupancy->mostWarps},
                           {"limit", figures.occupancy->limit}};
  }
  object["main_loop"] = nullptr;
  if (figures.mainLoop) {
    object["main_loop"] =
        llvm::json::Object{{"instructions", figures.mainLoop->instructions},
                           {"mmas", figures.mainLoop->products}};
  }
  return object;
}

llvm::json::Value mlir::moe::toJson(const KernelReport &report) {
  const ProductPeaks &peaks = report.target->peaks;
  llvm::json::Array kernels;
  for (const KernelFigures &figures : report.kernels) {
    kernels.push_back(::toJson(figures));
  }
  return llvm::json::Object{{"chip", report.target->chip},
                            {"product", peaks.product},
                            {"peaks_source", peaks.source},
                            {"multiprocessors", peaks.multiprocessors},
                            {"bf16_tflop_per_s", peaks.bf16TeraflopsPerSecond},
                            {"f32_tflop_per_s", peaks.f32TeraflopsPerSecond},
                            {"memory_gb_per_s", peaks.memoryGigabytesPerSecond},
                            {"assembler", report.assembler},
                            {"disassembled", !report.disassembler.empty()},
                            {"proof", describe(report.proof)},
                            {"source_hash", report.sourceHash},
                            {"warnings", llvm::json::Array(report.warnings)},
                            {"kernels", std::move(kernels)}};
}
