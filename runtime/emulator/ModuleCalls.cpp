// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ModuleCalls.cpp - Modules, functions, launches ---------------------===//

#include "emulator/CurrentDevice.h"
#include "emulator/DriverTable.h"
#include "emulator/LaunchItem.h"
#include "emulator/Machine.h"
#include "emulator/Multiprocessor.h"

namespace moert::emulator {

static cuda::Module addModule(Machine &machine, cuda::ContextObject &device,
                              std::shared_ptr<const LoadedImage> image) {
  auto module = std::make_unique<cuda::ModuleObject>();
  module->device = &device;
  module->image = std::move(image);
  machine.handles.insert(module.get());
  device.modules.push_back(std::move(module));
  return device.modules.back().get();
}

cuda::Module Machine::addImage(int device, const moert_kernel_image &image) {
  HostThreads::Lock lock(mutex);
  std::string error;
  std::shared_ptr<const LoadedImage> adopted = LoadedImage::adopt(image, error);
  if (!adopted) {
    report(FindingKind::Image, error);
    return nullptr;
  }
  return addModule(*this, *devices[size_t(device)], std::move(adopted));
}

static cuda::Result moduleLoadData(cuda::Module *module, const void *bytes) {
  Call call;
  cuda::ContextObject *device = currentDevice();
  if (!device) {
    return cuda::InvalidContext;
  }
  std::string error;
  std::shared_ptr<const LoadedImage> image = LoadedImage::load(bytes, error);
  if (!image) {
    call->report(FindingKind::Image, "cuModuleLoadData: " + error);
    return cuda::InvalidImage;
  }
  *module = addModule(call.machine, *device, std::move(image));
  return cuda::Success;
}

static cuda::Result moduleUnload(cuda::Module module) {
  Call call;
  if (call->handles.erase(module) == 0) {
    call->report(FindingKind::Handle,
                 "a module that does not exist (any more)");
    return cuda::InvalidHandle;
  }
  for (const std::unique_ptr<cuda::FunctionObject> &function :
       module->functions) {
    call->handles.erase(function.get());
  }
  module->device->modules.remove_if(
      [&](const std::unique_ptr<cuda::ModuleObject> &candidate) {
        return candidate.get() == module;
      });
  return cuda::Success;
}

static cuda::Result moduleGetFunction(cuda::Function *function,
                                      cuda::Module module, const char *name) {
  Call call;
  if (!module || !call->isLive(module)) {
    call->report(FindingKind::Handle,
                 "a module that does not exist (any more)");
    return cuda::InvalidHandle;
  }
  for (const std::unique_ptr<cuda::FunctionObject> &known : module->functions) {
    if (known->entry->name == std::string(name)) {
      *function = known.get();
      return cuda::Success;
    }
  }
  const moert_kernel_entry *entry = module->image->find(name);
  if (!entry) {
    return cuda::NotFound;
  }
  auto made = std::make_unique<cuda::FunctionObject>();
  made->module = module;
  made->image = module->image;
  made->entry = entry;
  *function = made.get();
  call->handles.insert(made.get());
  module->functions.push_back(std::move(made));
  return cuda::Success;
}

/// Null, with a finding, for what is no function.
static cuda::Function resolve(Machine &machine, cuda::Function function) {
  if (function && machine.isLive(function)) {
    return function;
  }
  machine.report(FindingKind::Handle,
                 "a function that does not exist (any more)");
  return nullptr;
}

static cuda::Result functionSetAttribute(cuda::Function function, int attribute,
                                         int value) {
  Call call;
  if (!resolve(call.machine, function)) {
    return cuda::InvalidHandle;
  }
  Multiprocessor unit(call->options);
  if (attribute != cuda::maxDynamicSharedBytes || value < 0 ||
      size_t(value) + function->entry->static_shared_bytes >
          unit.sharedBytesPerBlock) {
    return cuda::InvalidValue;
  }
  function->maxDynamicSharedBytes = size_t(value);
  return cuda::Success;
}

static cuda::Result occupancyMaxActiveBlocks(int *blocks,
                                             cuda::Function function,
                                             int threads, size_t sharedBytes) {
  Call call;
  if (!resolve(call.machine, function)) {
    return cuda::InvalidHandle;
  }
  if (threads <= 0) {
    return cuda::InvalidValue;
  }
  size_t shared = function->entry->static_shared_bytes + sharedBytes;
  *blocks = Multiprocessor(call->options).residentBlocks(threads, shared);
  return cuda::Success;
}

/// Why a launch cannot be; Success if it can.
static cuda::Result checkLaunch(const Machine &machine,
                                const cuda::FunctionObject &function,
                                const Grid &grid, size_t sharedBytes) {
  uint64_t blocks = uint64_t(grid.blocks[0]) * grid.blocks[1] * grid.blocks[2];
  uint64_t threads =
      uint64_t(grid.threads[0]) * grid.threads[1] * grid.threads[2];
  if (blocks == 0 || blocks > INT32_MAX || threads == 0 || threads > 1024) {
    return cuda::InvalidValue;
  }
  uint32_t known = function.entry->threads;
  if (known != 0 && threads != known) {
    return cuda::InvalidValue;
  }
  Multiprocessor unit(machine.options);
  size_t shared = function.entry->static_shared_bytes + sharedBytes;
  if (sharedBytes > function.maxDynamicSharedBytes ||
      unit.residentBlocks(int(threads), shared) == 0) {
    return sharedBytes > function.maxDynamicSharedBytes
               ? cuda::InvalidValue
               : cuda::LaunchOutOfResources;
  }
  return cuda::Success;
}

static cuda::Result launchKernel(cuda::Function function, unsigned gridX,
                                 unsigned gridY, unsigned gridZ,
                                 unsigned blockX, unsigned blockY,
                                 unsigned blockZ, unsigned sharedBytes,
                                 cuda::Stream stream, void **arguments,
                                 void **extra) {
  Call call;
  stream = call->resolve(stream);
  if (!stream || !resolve(call.machine, function) ||
      function->module->device != stream->device) {
    return cuda::InvalidHandle;
  }
  if (stream->device->error != cuda::Success) {
    return stream->device->error;
  }
  Grid grid = {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}};
  if (extra || (!arguments && function->entry->argument_count > 0)) {
    return cuda::InvalidValue;
  }
  cuda::Result result = checkLaunch(call.machine, *function, grid, sharedBytes);
  if (result != cuda::Success) {
    return result;
  }
  Launch launch = {function->image, function->entry, grid, sharedBytes, {}};
  for (uint32_t i = 0; i < function->entry->argument_count; ++i) {
    launch.arguments.push_back(*static_cast<const uint64_t *>(arguments[i]));
  }
  call->submit(stream, std::make_unique<LaunchItem>(std::move(launch)));
  return cuda::Success;
}

void setModuleCalls(cuda::Driver &driver) {
  driver.moduleLoadData = moduleLoadData;
  driver.moduleUnload = moduleUnload;
  driver.moduleGetFunction = moduleGetFunction;
  driver.functionSetAttribute = functionSetAttribute;
  driver.occupancyMaxActiveBlocks = occupancyMaxActiveBlocks;
  driver.launchKernel = launchKernel;
}

} // namespace moert::emulator
