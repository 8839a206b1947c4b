// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceWork.cpp - Kernels, memory and copies ------------------------===//

#include "transports/device/DeviceWork.h"

#include <limits>

namespace moert {

DeviceWork::~DeviceWork() {
  CurrentContext current = device.makeCurrent();
  pool.releaseAll();
}

void DeviceWork::fail(moert_status status, const std::string &text) {
  transport.fail(status, "rank " + std::to_string(rank) + ": " + text);
}

bool DeviceWork::check(const std::string &what, cuda::Result result) {
  if (result != cuda::Success) {
    fail(result == cuda::OutOfMemory ? MOERT_OUT_OF_MEMORY : MOERT_INTERNAL,
         what + ": CUDA: " + explain(driver, result));
  }
  return result == cuda::Success;
}

bool DeviceWork::isCapturing(moert_stream stream) const {
  int status = cuda::captureNone;
  // The default stream cannot be captured, and must not be asked while another
  // one is.
  if (stream) {
    driver.streamIsCapturing(cuda::Stream(stream), &status);
  }
  return status != cuda::captureNone;
}

cuda::Module DeviceWork::load(const std::string &image) {
  CurrentContext current = device.makeCurrent();
  cuda::Module module = nullptr;
  check("module", driver.moduleLoadData(&module, image.c_str()));
  return transport.failure() ? nullptr : module;
}

void DeviceWork::unload(cuda::Module module) {
  CurrentContext current = device.makeCurrent();
  driver.moduleUnload(module);
}

moert_kernel *DeviceWork::find(moert_module &module, const std::string &name) {
  CurrentContext current = device.makeCurrent();
  auto [place, isNew] = module.kernels.try_emplace(name);
  if (isNew) {
    auto kernel = std::make_unique<moert_kernel>();
    kernel->name = name;
    cuda::Result result = driver.moduleGetFunction(&kernel->function,
                                                   module.handle, name.c_str());
    if (result != cuda::Success) {
      module.kernels.erase(place);
      fail(MOERT_INVALID_ARGUMENT,
           "kernel \"" + name + "\": " + explain(driver, result));
      return nullptr;
    }
    place->second = std::move(kernel);
  }
  return place->second.get();
}

/// Beyond 48 KiB a kernel's dynamic shared memory has to be asked for.
bool DeviceWork::allowShared(moert_kernel &kernel, int32_t bytes) {
  if (bytes <= kernel.sharedBytes || bytes <= 48 * 1024) {
    return true;
  }
  bool allowed =
      check("kernel \"" + kernel.name + "\": " + std::to_string(bytes) +
                " bytes of shared memory",
            driver.functionSetAttribute(kernel.function,
                                        cuda::maxDynamicSharedBytes, bytes));
  kernel.sharedBytes = allowed ? bytes : kernel.sharedBytes;
  return allowed;
}

int64_t DeviceWork::residentBlocks(moert_kernel &kernel, const Launch &launch) {
  auto [place, isNew] =
      kernel.resident.try_emplace({launch.threads, launch.sharedBytes}, 0);
  if (isNew) {
    int blocks = 0;
    int multiprocessors = 0;
    if (check("kernel \"" + kernel.name + "\"",
              driver.occupancyMaxActiveBlocks(&blocks, kernel.function,
                                              launch.threads,
                                              size_t(launch.sharedBytes))) &&
        check("device", driver.deviceGetAttribute(&multiprocessors,
                                                  cuda::multiprocessorCount,
                                                  device.device()))) {
      place->second = int64_t(blocks) * multiprocessors;
    }
  }
  if (place->second == 0) {
    fail(MOERT_UNSUPPORTED, "kernel \"" + kernel.name + "\": a block of " +
                                std::to_string(launch.threads) +
                                " threads with " +
                                std::to_string(launch.sharedBytes) +
                                " bytes of shared memory does not fit");
  }
  return place->second;
}

void DeviceWork::launch(moert_kernel &kernel, const Launch &launch,
                        moert_stream stream) {
  if (launch.blocks == 0 || transport.failure()) {
    return;
  }
  CurrentContext current = device.makeCurrent();
  if (!allowShared(kernel, launch.sharedBytes)) {
    return;
  }
  int64_t blocks =
      launch.blocks < 0 ? residentBlocks(kernel, launch) : launch.blocks;
  if (blocks > std::numeric_limits<int32_t>::max()) {
    fail(MOERT_UNSUPPORTED, "kernel \"" + kernel.name +
                                "\": " + std::to_string(blocks) + " blocks");
    return;
  }
  std::vector<void *> parameters;
  for (int32_t i = 0; i < launch.count; ++i) {
    // The driver's signature; it only reads.
    parameters.push_back(const_cast<uint64_t *>(&launch.arguments[i]));
  }
  if (blocks > 0) {
    check("kernel \"" + kernel.name + "\"",
          driver.launchKernel(
              kernel.function, unsigned(blocks), 1, 1, unsigned(launch.threads),
              1, 1, unsigned(launch.sharedBytes), cuda::Stream(stream),
              parameters.data(), nullptr));
  }
}

void *DeviceWork::allocate(int64_t bytes, moert_stream stream) {
  if (transport.failure()) {
    return nullptr;
  }
  CurrentContext current = device.makeCurrent();
  bool captures = isCapturing(stream);
  cuda::Pointer pointer = pool.reuse(bytes, cuda::Stream(stream));
  if (!pointer && captures) {
    fail(MOERT_INVALID_ARGUMENT,
         std::to_string(bytes) +
             " bytes that a graph needs are not there yet: expected the "
             "function to run once before it is captured");
    return nullptr;
  }
  if (pointer && captures) {
    pool.keepForGraph(pointer);
  }
  if (!pointer) {
    cuda::Result result = pool.allocate(bytes, pointer);
    if (result != cuda::OutOfMemory) {
      check("memory", result);
    }
  }
  return asPointer(pointer);
}

void DeviceWork::deallocate(void *pointer, int64_t bytes, moert_stream stream) {
  if (pointer) {
    pool.giveBack(devicePointer(pointer), bytes, cuda::Stream(stream));
  }
}

void DeviceWork::releaseIdle(moert_stream stream) {
  CurrentContext current = device.makeCurrent();
  pool.release(cuda::Stream(stream));
}

moert_stream DeviceWork::createStream() {
  CurrentContext current = device.makeCurrent();
  cuda::Stream stream = nullptr;
  check("stream", driver.streamCreate(&stream, cuda::streamNonBlocking));
  return stream;
}

void DeviceWork::destroyStream(moert_stream stream) {
  CurrentContext current = device.makeCurrent();
  driver.streamDestroy(cuda::Stream(stream));
}

void DeviceWork::upload(void *to, const void *from, int64_t bytes,
                        moert_stream stream) {
  if (bytes > 0 && !transport.failure()) {
    CurrentContext current = device.makeCurrent();
    check("upload", driver.copyToDevice(devicePointer(to), from, size_t(bytes),
                                        cuda::Stream(stream)));
  }
}

void DeviceWork::download(void *to, const void *from, int64_t bytes,
                          moert_stream stream) {
  if (bytes > 0 && !transport.failure()) {
    CurrentContext current = device.makeCurrent();
    check("download", driver.copyToHost(to, devicePointer(from), size_t(bytes),
                                        cuda::Stream(stream)));
  }
}

void DeviceWork::copy(void *to, const void *from, int64_t bytes,
                      moert_stream stream) {
  if (bytes > 0 && to != from && !transport.failure()) {
    CurrentContext current = device.makeCurrent();
    check("copy", driver.copyOnDevice(devicePointer(to), devicePointer(from),
                                      size_t(bytes), cuda::Stream(stream)));
  }
}

} // namespace moert
