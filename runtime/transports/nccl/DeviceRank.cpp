// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceRank.cpp -----------------------------------------------------===//

#include "transports/nccl/DeviceRank.h"

namespace moert {

nccl::DataType ncclType(moert_dtype dtype) {
  switch (dtype) {
  case MOERT_F32:
    return nccl::Float32;
  case MOERT_BF16:
    return nccl::BFloat16;
  case MOERT_F16:
    return nccl::Float16;
  case MOERT_F8E4M3:
    return nccl::Float8E4M3;
  case MOERT_F8E5M2:
    return nccl::Float8E5M2;
  case MOERT_INT8:
    return nccl::Int8;
  case MOERT_INT32:
    return nccl::Int32;
  case MOERT_INT64:
    return nccl::Int64;
  default:
    return -1;
  }
}

static void *allocateOnDevice(void *state, int64_t bytes, int64_t) {
  const DeviceRank &self = *static_cast<const DeviceRank *>(state);
  CurrentContext current = self.makeCurrent();
  // cuMemAlloc refuses 0 bytes, and aligns to 256.
  cuda::Pointer pointer = 0;
  cuda::Result result =
      self.driver.memoryAllocate(&pointer, size_t(bytes > 0 ? bytes : 1));
  return result == cuda::Success ? asPointer(pointer) : nullptr;
}

static void deallocateOnDevice(void *state, void *pointer, int64_t) {
  const DeviceRank &self = *static_cast<const DeviceRank *>(state);
  CurrentContext current = self.makeCurrent();
  self.driver.memoryFree(devicePointer(pointer));
}

DeviceRank::~DeviceRank() {
  if (context) {
    CurrentContext current = makeCurrent();
    if (scratch) {
      driver.memoryFree(scratch);
    }
    if (stream) {
      driver.streamDestroy(stream);
    }
  }
  if (retained) {
    driver.primaryContextRelease(ordinal);
  }
}

std::string DeviceRank::open(int32_t index) {
  int count = 0;
  cuda::Result result = driver.contextGetCurrent(&context);
  if (result == cuda::Success && context) {
    result = driver.contextGetDevice(&ordinal);
  } else if (result == cuda::Success) {
    result = driver.deviceGetCount(&count);
    if (result == cuda::Success && count == 0) {
      return "no CUDA device";
    }
    if (result == cuda::Success) {
      result = driver.deviceGet(&ordinal, index % count);
    }
    if (result == cuda::Success) {
      result = driver.primaryContextRetain(&context, ordinal);
      retained = result == cuda::Success;
    }
  }
  int major = 0;
  int version = 0;
  if (result == cuda::Success) {
    CurrentContext current = makeCurrent();
    result = driver.streamCreate(&stream, cuda::streamNonBlocking);
    if (result == cuda::Success) {
      result = driver.memoryAllocate(&scratch, sizeof(int32_t));
    }
    if (result == cuda::Success) {
      result = driver.deviceGetAttribute(&major, cuda::computeCapabilityMajor,
                                         ordinal);
    }
  }
  if (result != cuda::Success) {
    return "CUDA: " + explain(driver, result);
  }
  nccl.getVersion(&version);
  bool hasFloat8 = version >= nccl::float8Since && major >= 9;
  for (moert_dtype dtype = MOERT_F32; dtype <= MOERT_INT64; ++dtype) {
    bool isFloat8 = dtype == MOERT_F8E4M3 || dtype == MOERT_F8E5M2;
    if (ncclType(dtype) >= 0 && (hasFloat8 || !isFloat8)) {
      reducible |= int64_t(1) << dtype;
    }
  }
  allocator = {sizeof(moert_allocator), 0, this, allocateOnDevice,
               deallocateOnDevice};
  return {};
}

} // namespace moert
