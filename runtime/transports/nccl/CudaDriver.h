// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CudaDriver.h - The CUDA driver's entry points ------------*- C++ -*-===//
//
// What the transport calls of the CUDA driver, as one table of functions that
// is filled from libcuda.so.1 at run time or by the emulated device. Types and
// values are those of the CUDA Driver API reference, 12.0 to 13.0; names are
// the exported ones, with the version that the reference's headers map to.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_NCCL_CUDADRIVER_H
#define MOERT_TRANSPORTS_NCCL_CUDADRIVER_H

#include <cstddef>
#include <cstdint>

namespace moert::cuda {

/// CUresult. Other values exist; the driver's getErrorName knows them.
using Result = int;
enum : Result {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NotInitialized = 3,
  StubLibrary = 34,
  NoDevice = 100,
  InvalidDevice = 101,
  InvalidImage = 200,
  InvalidContext = 201,
  InvalidHandle = 400,
  NotFound = 500,
  NotReady = 600,
  IllegalAddress = 700,
  LaunchOutOfResources = 701,
  LaunchFailed = 719,
  CaptureUnsupported = 900,
  CaptureInvalidated = 901,
  CaptureUnmatched = 903,
  CaptureUnjoined = 904,
  CapturedEvent = 907
};

using Device = int;
/// CUdeviceptr.
using Pointer = unsigned long long;
using Context = struct ContextObject *;
using Stream = struct StreamObject *;
using Event = struct EventObject *;
using Graph = struct GraphObject *;
using GraphExec = struct GraphExecObject *;
using Module = struct ModuleObject *;
using Function = struct FunctionObject *;

/// CUdevice_attribute.
constexpr int multiprocessorCount = 16;
constexpr int computeCapabilityMajor = 75;
constexpr int computeCapabilityMinor = 76;
/// Of shared memory that a block can have where its kernel was given the
/// attribute below; without it, 48 KiB.
constexpr int maxSharedBytesPerBlock = 97;
/// CUfunction_attribute: the most dynamic shared memory of a launch.
constexpr int maxDynamicSharedBytes = 8;
/// CUstream_flags: does not wait for the legacy default stream.
constexpr unsigned streamNonBlocking = 1;
/// CUevent_flags: takes no time stamp.
constexpr unsigned eventDisableTiming = 2;
/// CUstreamCaptureMode: only this thread's unsafe calls are errors.
constexpr int captureThreadLocal = 1;
/// CUstreamCaptureStatus: nothing is captured.
constexpr int captureNone = 0;

/// X(member, exported name, parameters): each returns a Result.
#define MOERT_CUDA_DRIVER_SYMBOLS(X)                                           \
  X(init, cuInit, (unsigned flags))                                            \
  X(getErrorName, cuGetErrorName, (Result result, const char **name))          \
  X(getErrorString, cuGetErrorString, (Result result, const char **text))      \
  X(deviceGetCount, cuDeviceGetCount, (int *count))                            \
  X(deviceGet, cuDeviceGet, (Device * device, int ordinal))                    \
  X(deviceGetAttribute, cuDeviceGetAttribute,                                  \
    (int *value, int attribute, Device device))                                \
  X(primaryContextRetain, cuDevicePrimaryCtxRetain,                            \
    (Context * context, Device device))                                        \
  X(primaryContextRelease, cuDevicePrimaryCtxRelease_v2, (Device device))      \
  X(contextGetCurrent, cuCtxGetCurrent, (Context * context))                   \
  X(contextPush, cuCtxPushCurrent_v2, (Context context))                       \
  X(contextPop, cuCtxPopCurrent_v2, (Context * context))                       \
  X(contextGetDevice, cuCtxGetDevice, (Device * device))                       \
  X(memoryAllocate, cuMemAlloc_v2, (Pointer * pointer, size_t bytes))          \
  X(memoryFree, cuMemFree_v2, (Pointer pointer))                               \
  X(hostAllocate, cuMemHostAlloc,                                              \
    (void **pointer, size_t bytes, unsigned flags))                            \
  X(hostFree, cuMemFreeHost, (void *pointer))                                  \
  X(copyToDevice, cuMemcpyHtoDAsync_v2,                                        \
    (Pointer to, const void *from, size_t bytes, Stream stream))               \
  X(copyToHost, cuMemcpyDtoHAsync_v2,                                          \
    (void *to, Pointer from, size_t bytes, Stream stream))                     \
  X(copyOnDevice, cuMemcpyDtoDAsync_v2,                                        \
    (Pointer to, Pointer from, size_t bytes, Stream stream))                   \
  X(fillBytes, cuMemsetD8Async,                                                \
    (Pointer to, unsigned char value, size_t bytes, Stream stream))            \
  X(streamCreate, cuStreamCreate, (Stream * stream, unsigned flags))           \
  X(streamDestroy, cuStreamDestroy_v2, (Stream stream))                        \
  X(streamQuery, cuStreamQuery, (Stream stream))                               \
  X(streamSynchronize, cuStreamSynchronize, (Stream stream))                   \
  X(streamWaitEvent, cuStreamWaitEvent,                                        \
    (Stream stream, Event event, unsigned flags))                              \
  X(streamIsCapturing, cuStreamIsCapturing, (Stream stream, int *status))      \
  X(captureBegin, cuStreamBeginCapture_v2, (Stream stream, int mode))          \
  X(captureEnd, cuStreamEndCapture, (Stream stream, Graph * graph))            \
  X(graphInstantiate, cuGraphInstantiateWithFlags,                             \
    (GraphExec * exec, Graph graph, unsigned long long flags))                 \
  X(graphLaunch, cuGraphLaunch, (GraphExec exec, Stream stream))               \
  X(graphExecDestroy, cuGraphExecDestroy, (GraphExec exec))                    \
  X(graphDestroy, cuGraphDestroy, (Graph graph))                               \
  X(moduleLoadData, cuModuleLoadData, (Module * module, const void *image))    \
  X(moduleUnload, cuModuleUnload, (Module module))                             \
  X(moduleGetFunction, cuModuleGetFunction,                                    \
    (Function * function, Module module, const char *name))                    \
  X(functionSetAttribute, cuFuncSetAttribute,                                  \
    (Function function, int attribute, int value))                             \
  X(occupancyMaxActiveBlocks, cuOccupancyMaxActiveBlocksPerMultiprocessor,     \
    (int *blocks, Function function, int threads, size_t dynamicSharedBytes))  \
  X(launchKernel, cuLaunchKernel,                                              \
    (Function function, unsigned gridX, unsigned gridY, unsigned gridZ,        \
     unsigned blockX, unsigned blockY, unsigned blockZ,                        \
     unsigned dynamicSharedBytes, Stream stream, void **arguments,             \
     void **extra))                                                            \
  X(eventCreate, cuEventCreate, (Event * event, unsigned flags))               \
  X(eventDestroy, cuEventDestroy_v2, (Event event))                            \
  X(eventRecord, cuEventRecord, (Event event, Stream stream))                  \
  X(eventQuery, cuEventQuery, (Event event))                                   \
  X(eventSynchronize, cuEventSynchronize, (Event event))

/// The driver. Every member is set.
struct Driver {
  // A type and a list of parameters take no parentheses.
  // NOLINTBEGIN(bugprone-macro-parentheses)
#define MOERT_MEMBER(member, symbol, parameters) Result(*member) parameters;
  MOERT_CUDA_DRIVER_SYMBOLS(MOERT_MEMBER)
#undef MOERT_MEMBER
  // NOLINTEND(bugprone-macro-parentheses)
};

} // namespace moert::cuda

#endif // MOERT_TRANSPORTS_NCCL_CUDADRIVER_H
