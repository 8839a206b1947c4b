// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceWork.h - What runs on a rank's device --------------*- C++ -*-===//
//
// Kernels, their memory and their copies, of any transport whose ranks are
// devices. What fails ends the job; after that every call returns at once.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_DEVICE_DEVICEWORK_H
#define MOERT_TRANSPORTS_DEVICE_DEVICEWORK_H

#include "core/Transport.h"
#include "moert/compiled.h"
#include "transports/device/MemoryPool.h"

/// See moert/kernels.h.
struct moert_kernel {
  std::string name;
  moert::cuda::Function function = nullptr;
  /// Dynamic shared memory that the kernel was allowed so far.
  int32_t sharedBytes = 0;
  /// How many blocks a device holds, by threads and shared memory of a block.
  std::map<std::pair<int32_t, int32_t>, int64_t> resident;
};

struct moert_module {
  moert_context *context = nullptr;
  moert::cuda::Module handle = nullptr;
  std::map<std::string, std::unique_ptr<moert_kernel>> kernels;
};

namespace moert {

/// How a kernel is launched; see moert_frame_launch.
struct Launch {
  int64_t blocks = 0;
  int32_t threads = 0;
  int32_t sharedBytes = 0;
  const uint64_t *arguments = nullptr;
  int32_t count = 0;
};

class DeviceWork {
public:
  DeviceWork(const DeviceRank &device, Transport &transport, int32_t rank)
      : device(device), driver(device.driver), transport(transport), rank(rank),
        pool(device) {}
  ~DeviceWork();
  DeviceWork(const DeviceWork &) = delete;

  /// `image` ends with a zero byte. Null on failure.
  cuda::Module load(const std::string &image);
  void unload(cuda::Module module);
  /// Null on failure.
  moert_kernel *find(moert_module &module, const std::string &name);
  void launch(moert_kernel &kernel, const Launch &launch, moert_stream stream);

  /// Null where there is no memory left, and where the job has failed.
  void *allocate(int64_t bytes, moert_stream stream);
  void deallocate(void *pointer, int64_t bytes, moert_stream stream);
  /// Frees what the pool keeps for a stream on which nothing is queued.
  void releaseIdle(moert_stream stream);

  moert_stream createStream();
  void destroyStream(moert_stream stream);
  void upload(void *to, const void *from, int64_t bytes, moert_stream stream);
  void download(void *to, const void *from, int64_t bytes, moert_stream stream);
  void copy(void *to, const void *from, int64_t bytes, moert_stream stream);

  /// The words of a layer, zero at first; null on failure.
  uint64_t *faultWords(int32_t layer, moert_stream stream);
  /// Queues copies of the words that kernels of this stream may have written.
  /// Returns whether there are any: then the caller waits for the stream and
  /// calls checkFaults.
  bool fetchFaults(moert_stream stream);
  /// Ends the job where a kernel has reported something.
  void checkFaults(moert_stream stream);

  void fail(moert_status status, const std::string &text);

private:
  /// Words that kernels of one stream write.
  struct FaultArea {
    cuda::Pointer words = 0;
    /// By place in the area.
    std::vector<int32_t> layers;
    std::vector<uint64_t> onHost;
  };

  bool check(const std::string &what, cuda::Result result);
  bool isCapturing(moert_stream stream) const;
  bool allowShared(moert_kernel &kernel, int32_t bytes);
  /// 0 on failure.
  int64_t residentBlocks(moert_kernel &kernel, const Launch &launch);

  const DeviceRank &device;
  const cuda::Driver &driver;
  Transport &transport;
  const int32_t rank;
  MemoryPool pool;
  std::map<cuda::Stream, FaultArea> faults;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_DEVICE_DEVICEWORK_H
