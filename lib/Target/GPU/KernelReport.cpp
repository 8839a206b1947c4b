// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/KernelReport.h"
#include "moe/Target/GPU/CUDAToolkit.h"
#include "moe/Target/GPU/PTX.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using namespace mlir::moe;

/// What `nvdisasm -c` prints of the cubin; empty where it fails.
static std::string disassemble(StringRef program, StringRef cubin) {
  llvm::SmallString<128> input;
  llvm::SmallString<128> output;
  int descriptor = -1;
  if (llvm::sys::fs::createTemporaryFile("moe-kernels", "cubin", descriptor,
                                         input)) {
    return "";
  }
  llvm::FileRemover removeInput(input);
  llvm::raw_fd_ostream file(descriptor, /*shouldClose=*/true);
  file << cubin;
  file.close();
  if (file.has_error()) {
    file.clear_error();
    return "";
  }
  if (llvm::sys::fs::createTemporaryFile("moe-kernels", "sass", output)) {
    return "";
  }
  llvm::FileRemover removeOutput(output);
  StringRef arguments[] = {program, "-c", input};
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(output),
                                          StringRef()};
  constexpr unsigned secondsToWait = 60;
  if (llvm::sys::ExecuteAndWait(program, arguments, std::nullopt, redirects,
                                secondsToWait) != 0) {
    return "";
  }
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> text =
      llvm::MemoryBuffer::getFile(output);
  return text ? (*text)->getBuffer().str() : "";
}

/// The most dynamic shared memory that a launch of each kernel asks for.
static llvm::StringMap<int64_t> readSharedBytes(ModuleOp module) {
  llvm::StringMap<int64_t> bytes;
  module.walk([&](gpu::LaunchFuncOp launch) {
    llvm::APInt asked;
    Value size = launch.getDynamicSharedMemorySize();
    if (size && matchPattern(size, m_ConstantInt(&asked))) {
      int64_t &most = bytes[launch.getKernelName().getValue()];
      most = std::max(most, asked.getSExtValue());
    }
  });
  return bytes;
}

static int64_t readThreads(gpu::GPUModuleOp kernels, StringRef name) {
  auto function = kernels.lookupSymbol<gpu::GPUFuncOp>(name);
  std::optional<ArrayRef<int32_t>> size =
      function ? function.getKnownBlockSize() : std::nullopt;
  if (!size) {
    return 0;
  }
  int64_t threads = 1;
  for (int32_t extent : *size) {
    threads *= extent;
  }
  return threads;
}

FailureOr<KernelReport> mlir::moe::reportKernels(ModuleOp module,
                                                 const GPUTarget &target,
                                                 KernelProof proof) {
  gpu::GPUModuleOp kernels = *module.getOps<gpu::GPUModuleOp>().begin();
  llvm::Expected<CubinAssembler> assembler = CubinAssembler::load();
  if (!assembler) {
    return kernels.emitError(llvm::toString(assembler.takeError()));
  }
  FailureOr<LoweredKernels> lowered = lowerKernels(kernels);
  if (failed(lowered)) {
    return failure();
  }
  FailureOr<std::string> ptx = emitPTX(*lowered, target);
  if (failed(ptx)) {
    return failure();
  }
  llvm::Expected<Cubin> cubin = assembler->assemble(*ptx, target);
  if (!cubin) {
    return kernels.emitError(llvm::toString(cubin.takeError()));
  }
  KernelReport report;
  report.target = &target;
  report.assembler = assembler->version();
  report.disassembler = findToolkitProgram("nvdisasm");
  report.proof = proof;
  report.sourceHash = lowered->sourceHash;
  report.warnings = cubin->log.warnings;
  std::string code = report.disassembler.empty()
                         ? ""
                         : disassemble(report.disassembler, cubin->bytes);
  llvm::StringMap<int64_t> shared = readSharedBytes(module);
  for (const KernelResources &resources : cubin->log.kernels) {
    KernelFigures figures;
    figures.resources = resources;
    figures.threads = readThreads(kernels, resources.kernel);
    figures.dynamicSharedBytes = shared.lookup(resources.kernel);
    if (figures.threads) {
      figures.occupancy =
          computeOccupancy(target.limits, {figures.threads, resources.registers,
                                           resources.staticSharedBytes +
                                               figures.dynamicSharedBytes});
    }
    figures.mainLoop = findMainLoop(code, resources.kernel);
    report.kernels.push_back(std::move(figures));
  }
  // The assembler's order is its own.
  llvm::sort(report.kernels,
             [](const KernelFigures &left, const KernelFigures &right) {
               return left.resources.kernel < right.resources.kernel;
             });
  return report;
}
