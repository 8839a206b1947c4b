// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a machine may have NVIDIA's libraries and programs.

#ifndef MOE_TARGET_GPU_CUDATOOLKIT_H
#define MOE_TARGET_GPU_CUDATOOLKIT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace mlir::moe {

/// Roots of CUDA toolkits: $CUDA_HOME, then the one of the nvcc on the PATH.
std::vector<std::string> findToolkits();

/// Folders `site-packages` of $VIRTUAL_ENV and of the python3 on the PATH, with
/// which NVIDIA's wheels are installed.
std::vector<std::string> findSitePackages();

/// Files of these names that are there, in order: in lib64 of toolkits, then in
/// nvidia/*/lib of site-packages.
std::vector<std::string>
findToolkitLibraries(llvm::ArrayRef<llvm::StringRef> names);

/// The path of a program: in bin of toolkits, on the PATH, in nvidia/*/bin of
/// site-packages. Empty if there is none.
std::string findToolkitProgram(llvm::StringRef name);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_CUDATOOLKIT_H
