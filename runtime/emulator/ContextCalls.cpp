// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ContextCalls.cpp - Devices, contexts and errors --------------------===//

#include "emulator/CurrentDevice.h"
#include "emulator/DriverTable.h"
#include "emulator/Machine.h"
#include "emulator/Multiprocessor.h"

namespace moert::emulator {

std::vector<cuda::Context> &contextStack() {
  static thread_local std::vector<cuda::Context> stack;
  return stack;
}

cuda::ContextObject *currentDevice() {
  return contextStack().empty() ? nullptr : contextStack().back();
}

DeviceLibraries Machine::libraries() {
  struct Tables {
    cuda::Driver driver = {};
    nccl::Library nccl = {};
    Tables() {
      setContextCalls(driver);
      setMemoryCalls(driver);
      setStreamCalls(driver);
      setCaptureCalls(driver);
      setModuleCalls(driver);
      setCommCalls(nccl);
    }
  };
  static const Tables tables;
  return {&tables.driver, &tables.nccl,
          [](int count) { current()->expectHosts(count); }};
}

static cuda::Result init(unsigned) {
  return Machine::current() ? cuda::Success : cuda::NoDevice;
}

namespace {
struct ErrorText {
  cuda::Result result;
  const char *name;
  const char *text;
};
} // namespace

/// The errors that the stand-ins return.
static const ErrorText errorTexts[] = {
    {cuda::Success, "CUDA_SUCCESS", "no error"},
    {cuda::InvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {cuda::OutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {cuda::NoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device"},
    {cuda::InvalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device"},
    {cuda::InvalidImage, "CUDA_ERROR_INVALID_IMAGE",
     "device kernel image is invalid"},
    {cuda::InvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid context"},
    {cuda::InvalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid handle"},
    {cuda::NotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {cuda::NotReady, "CUDA_ERROR_NOT_READY", "device not ready"},
    {cuda::IllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS",
     "an illegal memory access was encountered"},
    {cuda::LaunchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
     "too many resources requested for launch"},
    {cuda::LaunchFailed, "CUDA_ERROR_LAUNCH_FAILED", "launch failure"},
    {cuda::CaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
     "operation not permitted when stream is capturing"},
    {cuda::CaptureInvalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "operation failed due to a previous error during capture"},
    {cuda::CaptureUnmatched, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED",
     "the capture was not begun on this stream"},
    {cuda::CaptureUnjoined, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED",
     "capture with work that was not joined"},
    {cuda::CapturedEvent, "CUDA_ERROR_CAPTURED_EVENT",
     "operation not permitted on an event last recorded in a capture"}};

static const ErrorText *findError(cuda::Result result) {
  for (const ErrorText &error : errorTexts) {
    if (error.result == result) {
      return &error;
    }
  }
  return nullptr;
}

static cuda::Result getErrorName(cuda::Result result, const char **name) {
  const ErrorText *error = findError(result);
  *name = error ? error->name : nullptr;
  return error ? cuda::Success : cuda::InvalidValue;
}

static cuda::Result getErrorString(cuda::Result result, const char **text) {
  const ErrorText *error = findError(result);
  *text = error ? error->text : nullptr;
  return error ? cuda::Success : cuda::InvalidValue;
}

static cuda::Result deviceGetCount(int *count) {
  *count = Machine::current()->options.devices;
  return cuda::Success;
}

static bool isDevice(int ordinal) {
  return ordinal >= 0 && ordinal < Machine::current()->options.devices;
}

static cuda::Result deviceGet(cuda::Device *device, int ordinal) {
  *device = ordinal;
  return isDevice(ordinal) ? cuda::Success : cuda::InvalidDevice;
}

static cuda::Result deviceGetAttribute(int *value, int attribute,
                                       cuda::Device device) {
  if (!isDevice(device)) {
    return cuda::InvalidDevice;
  }
  const MachineOptions &options = Machine::current()->options;
  switch (attribute) {
  case cuda::multiprocessorCount:
    *value = options.multiprocessors;
    return cuda::Success;
  case cuda::computeCapabilityMajor:
    *value = options.capabilityMajor;
    return cuda::Success;
  case cuda::computeCapabilityMinor:
    *value = options.capabilityMinor;
    return cuda::Success;
  case cuda::maxSharedBytesPerBlock:
    *value = int(Multiprocessor(options).sharedBytesPerBlock);
    return cuda::Success;
  default:
    return cuda::InvalidValue;
  }
}

static cuda::Result primaryContextRetain(cuda::Context *context,
                                         cuda::Device device) {
  Call call;
  if (!isDevice(device)) {
    return cuda::InvalidDevice;
  }
  *context = call->devices[size_t(device)].get();
  ++(*context)->retained;
  return cuda::Success;
}

static cuda::Result primaryContextRelease(cuda::Device device) {
  Call call;
  if (!isDevice(device) || call->devices[size_t(device)]->retained == 0) {
    return cuda::InvalidDevice;
  }
  --call->devices[size_t(device)]->retained;
  return cuda::Success;
}

static cuda::Result contextGetCurrent(cuda::Context *context) {
  *context = currentDevice();
  return cuda::Success;
}

static cuda::Result contextPush(cuda::Context context) {
  Call call;
  if (!context || !call->isLive(context)) {
    return cuda::InvalidContext;
  }
  contextStack().push_back(context);
  return cuda::Success;
}

static cuda::Result contextPop(cuda::Context *context) {
  if (contextStack().empty()) {
    return cuda::InvalidContext;
  }
  if (context) {
    *context = contextStack().back();
  }
  contextStack().pop_back();
  return cuda::Success;
}

static cuda::Result contextGetDevice(cuda::Device *device) {
  if (!currentDevice()) {
    return cuda::InvalidContext;
  }
  *device = currentDevice()->ordinal;
  return cuda::Success;
}

void setContextCalls(cuda::Driver &driver) {
  driver.init = init;
  driver.getErrorName = getErrorName;
  driver.getErrorString = getErrorString;
  driver.deviceGetCount = deviceGetCount;
  driver.deviceGet = deviceGet;
  driver.deviceGetAttribute = deviceGetAttribute;
  driver.primaryContextRetain = primaryContextRetain;
  driver.primaryContextRelease = primaryContextRelease;
  driver.contextGetCurrent = contextGetCurrent;
  driver.contextPush = contextPush;
  driver.contextPop = contextPop;
  driver.contextGetDevice = contextGetDevice;
}

} // namespace moert::emulator
