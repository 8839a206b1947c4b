// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PTX to machine code in this process, by NVIDIA's nvJitLink. It needs no GPU
// and is loaded when it is asked for: nothing here links against CUDA.

#ifndef MOE_TARGET_GPU_CUBINASSEMBLER_H
#define MOE_TARGET_GPU_CUBINASSEMBLER_H

#include "moe/Target/GPU/AssemblerLog.h"
#include "moe/Target/GPU/GPUTarget.h"

#include <memory>

namespace mlir::moe {

struct NvJitLinkLibrary;

/// Machine code for one chip, and what the assembler said of it.
struct Cubin {
  std::string bytes;
  AssemblerLog log;
};

class CubinAssembler {
public:
  /// Loads libnvJitLink from $CUDA_HOME, beside nvcc on the PATH, from NVIDIA's
  /// wheels in the site-packages of $VIRTUAL_ENV or of the python3 on the PATH,
  /// or where the system's loader finds it; the first that can be loaded. The
  /// error is one line that says where none was.
  static llvm::Expected<CubinAssembler> load();

  /// "nvJitLink 13.0".
  std::string version() const;

  /// Assembles `ptx` for `target`. An error carries what the assembler said.
  llvm::Expected<Cubin> assemble(llvm::StringRef ptx,
                                 const GPUTarget &target) const;

private:
  explicit CubinAssembler(std::shared_ptr<const NvJitLinkLibrary> library);
  std::shared_ptr<const NvJitLinkLibrary> library;
};

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_CUBINASSEMBLER_H
