// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LowerForDevices.h"

#include "moe/Pipelines/GPUPipeline.h"
#include "moe/Runner/CaptureDiagnostics.h"
#include "moe/Target/CPU/LowerToLLVM.h"
#include "moe/Target/GPU/KernelImage.h"
#include "moe/Target/GPU/PTX.h"

#include "mlir/Pass/PassManager.h"

using namespace moe::runner;

/// What the driver of any device that there are kernels for compiles for it.
static constexpr llvm::StringLiteral portableChip = "sm_80";

static mlir::LogicalResult lowerToLaunches(mlir::ModuleOp module,
                                           const CompileOptions &compile) {
  mlir::PassManager manager(module.getContext());
  mlir::moe::GPUPipelineOptions pipeline;
  pipeline.overlap = compile.overlaps;
  mlir::moe::buildGPUPipeline(manager, pipeline);
  mlir::moe::addLaunchPasses(manager);
  return manager.run(module);
}

/// The kernels in the form that the devices load.
static mlir::FailureOr<std::string>
emitKernels(mlir::gpu::GPUModuleOp kernels, PlatformOptions::Device device) {
  mlir::FailureOr<mlir::moe::LoweredKernels> lowered =
      mlir::moe::lowerKernels(kernels);
  if (mlir::failed(lowered)) {
    return mlir::failure();
  }
  if (device == PlatformOptions::Device::Emulated) {
    return mlir::moe::emitKernelImage(*lowered);
  }
  const mlir::moe::GPUTarget *target =
      llvm::cantFail(mlir::moe::GPUTarget::parse(portableChip));
  return mlir::moe::emitPTX(*lowered, *target);
}

llvm::Expected<DeviceCode>
moe::runner::lowerForDevices(mlir::ModuleOp module,
                             const CompileOptions &compile) {
  CaptureDiagnostics diagnostics(module.getContext());
  if (mlir::failed(lowerToLaunches(module, compile))) {
    return diagnostics.takeError("lowering failed without saying why");
  }
  DeviceCode code;
  auto names = module->getAttrOfType<mlir::ArrayAttr>("moe.kernels");
  for (auto name : names.getAsRange<mlir::StringAttr>()) {
    code.kernels.push_back(name.str());
  }
  for (auto kernels :
       llvm::make_early_inc_range(module.getOps<mlir::gpu::GPUModuleOp>())) {
    mlir::FailureOr<std::string> image = emitKernels(kernels, compile.device);
    if (mlir::failed(image)) {
      return diagnostics.takeError("kernels cannot be compiled");
    }
    code.image = std::move(*image);
    kernels.erase();
  }
  mlir::PassManager manager(module.getContext());
  mlir::moe::addLowerToLLVMPasses(manager, compile.target);
  if (mlir::failed(manager.run(module))) {
    return diagnostics.takeError("lowering failed without saying why");
  }
  return code;
}
