// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where ranks run: on threads of this process, or on devices, real or emulated.
#ifndef MOE_RUNNER_RANKPLATFORM_H
#define MOE_RUNNER_RANKPLATFORM_H

#include "moert/compiled.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace moe::runner {

struct RankCall;

/// What programs are compiled for, and their weights packed for.
enum class ProgramTarget { CPU, GPU };

struct PlatformOptions {
  enum class Device { CPU, Emulated, GPU };
  Device device = Device::CPU;
  /// "threads" on the CPU, "nccl" on devices. Empty: what the device has.
  std::string transport;
  /// Of the order in which emulated devices work.
  uint64_t scheduleSeed = 0;

  ProgramTarget target() const {
    return device == Device::CPU ? ProgramTarget::CPU : ProgramTarget::GPU;
  }
};

/// One rank's code and data where it runs; they go with the object. What fails
/// ends the rank's job.
class RankWork {
public:
  virtual ~RankWork() = default;
  /// Waits for what a call of the function has queued.
  virtual void finishCall() {}
  /// Brings the results of the last call into the host's memory.
  virtual void takeResults() {}
};

class RankPlatform {
public:
  static std::unique_ptr<RankPlatform> create(const PlatformOptions &options);
  virtual ~RankPlatform() = default;

  virtual llvm::StringRef transport() const = 0;
  /// Null: the machine's own, if any.
  virtual const moert_devices *devices() const { return nullptr; }

  /// Before ranks run, and after they have: an error says that they cannot, or
  /// that the platform has something against what they did.
  virtual llvm::Error begin(int64_t) { return llvm::Error::success(); }
  virtual llvm::Error end() { return llvm::Error::success(); }
  /// On the thread of a rank: brings what the call needs to where it runs, and
  /// fills the frame in. `call` must outlive the work.
  virtual std::unique_ptr<RankWork> prepare(const RankCall &call,
                                            moert_frame &frame) const = 0;
};

} // namespace moe::runner

#endif // MOE_RUNNER_RANKPLATFORM_H
