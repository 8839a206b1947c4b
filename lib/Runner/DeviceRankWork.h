// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A rank whose code and data are on a device: kernels, weights, tables, tokens.
#ifndef MOE_LIB_RUNNER_DEVICERANKWORK_H
#define MOE_LIB_RUNNER_DEVICERANKWORK_H

#include "moe/Runner/RankPlatform.h"
#include "moe/Runner/RankRun.h"

namespace moe::runner {

class DeviceRankWork : public RankWork {
public:
  /// Loads the kernels and uploads everything; the matrices of the call point
  /// to the device's memory as long as the object lives.
  DeviceRankWork(const RankCall &call, moert_frame &frame);
  ~DeviceRankWork() override;
  DeviceRankWork(const DeviceRankWork &) = delete;

  void finishCall() override;
  void takeResults() override;

private:
  /// Null where the job has failed.
  void *upload(const void *data, int64_t bytes);
  void loadKernels();
  void uploadHandles();
  void uploadMatrices();

  const RankCall &call;
  moert_frame &frame;
  moert_context *const context;
  moert_module *module = nullptr;
  std::vector<moert_kernel *> kernels;
  std::vector<void *> handles;
  /// Tables of pointers, which copies read.
  std::vector<std::vector<void *>> tables;
  /// Where the matrices were, by buffer of the call.
  std::vector<void *> hosted;
  std::vector<std::pair<void *, int64_t>> blocks;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_DEVICERANKWORK_H
