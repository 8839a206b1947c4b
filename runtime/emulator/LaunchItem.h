// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LaunchItem.h - A kernel that is queued on a stream -------*- C++ -*-===//

#ifndef MOERT_EMULATOR_LAUNCHITEM_H
#define MOERT_EMULATOR_LAUNCHITEM_H

#include "emulator/Item.h"
#include "emulator/LoadedImage.h"
#include "emulator/Multiprocessor.h"

namespace moert::emulator {

/// What cuLaunchKernel was given.
struct Launch {
  /// Stays loaded, whatever becomes of the module.
  std::shared_ptr<const LoadedImage> image;
  const moert_kernel_entry *kernel = nullptr;
  Grid grid = {};
  size_t dynamicSharedBytes = 0;
  std::vector<uint64_t> arguments;

  /// Where a block's dynamic shared memory begins: behind the static one.
  size_t dynamicSharedOffset() const {
    return (size_t(kernel->static_shared_bytes) + 1023) / 1024 * 1024;
  }
  size_t sharedBytes() const {
    return dynamicSharedOffset() + dynamicSharedBytes;
  }
};

class LaunchItem : public Item {
public:
  explicit LaunchItem(Launch launch) : launch(std::move(launch)) {}

  std::string name() const override;
  /// Runs the kernel to its end: other streams see all of it or nothing.
  bool run(Machine &machine) override;
  std::unique_ptr<Item> clone(RecordMap &) const override {
    return std::make_unique<LaunchItem>(launch);
  }

private:
  const Launch launch;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_LAUNCHITEM_H
