// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of a program. Arguments are flat: a buffer is the address of its
// first element and the extents that are not static, in order; all of 64 bits.

#ifndef MOE_LIB_CONVERSION_MOETOGPU_KERNELLIBRARY_H
#define MOE_LIB_CONVERSION_MOETOGPU_KERNELLIBRARY_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::moe {

/// Threads of a warp.
inline constexpr int64_t warpThreads = 32;

/// Memory space of what all threads of a device see.
inline constexpr int64_t globalSpace = 1;
/// Memory space of what the threads of a block see.
inline constexpr int64_t sharedSpace = 3;

/// `gpu.module @kernels` of a program, which is made with the first kernel.
class KernelLibrary {
public:
  explicit KernelLibrary(ModuleOp program) : program(program) {}

  /// An empty kernel of blocks of `threads` threads.
  gpu::GPUFuncOp create(Location loc, int64_t threads);

  /// The kernel to launch for a finished one: itself, now named, or an equal
  /// one that was there, in which case it is erased. Names are `name`,
  /// `name_v2`, ….
  gpu::GPUFuncOp intern(gpu::GPUFuncOp kernel, StringRef name);

  gpu::GPUModuleOp getModule();

  /// The dynamic shared memory of a block, as `!llvm.ptr<3>`: one array without
  /// a size for all kernels.
  LLVM::GlobalOp getSharedMemory();

private:
  ModuleOp program;
  gpu::GPUModuleOp kernels;
  LLVM::GlobalOp sharedMemory;
  llvm::StringMap<gpu::GPUFuncOp> byText;
  llvm::StringMap<int64_t> variants;
};

/// How many blocks a kernel is launched with.
struct Grid {
  /// Iterations of the kernel's outer loop, an index on the host; null where
  /// `blocks` says it.
  Value iterations;
  int64_t iterationsPerBlock = 1;
  /// -1: as many as are resident on the device.
  int64_t blocks = 0;

  static Grid fixed(int64_t blocks) { return {Value(), 1, blocks}; }
  static Grid resident() { return {Value(), 1, -1}; }
};

/// A kernel in the making, in the place of `op`.
class KernelBuilder {
public:
  KernelBuilder(KernelLibrary &library, Operation *op, int64_t threads);

  /// Where the kernel's code goes.
  OpBuilder body();
  Location getLoc() { return host.getLoc(); }

  /// Hands a buffer of the host's program over; returns it in the kernel. The
  /// type is the most static one that is known; a small constant becomes a copy
  /// in the thread's own memory. Null, and an error at the op, where elements
  /// have gaps between them.
  Value addBuffer(Value buffer);
  /// The same, as the address of the first element in the kernel.
  Value addAddress(Value buffer);
  /// An index, or an integer of 64 bits.
  Value addNumber(Value number);
  /// A handle of weights, as the address of its table of pointers.
  Value addTable(Value handle);

  /// A copy of the op in the kernel, on arguments for its operands, which are
  /// buffers and indices. Null, and an error at the op, as for `addBuffer`.
  Operation *addOp();

  /// Launches the kernel where the op is; the op stays.
  void launch(StringRef name, const Grid &grid, int64_t sharedBytes = 0);

private:
  Value addArgument(Value operand, Type type);
  LogicalResult checkLayout(Value buffer);
  Value countBlocks(const Grid &grid);

  KernelLibrary &library;
  Operation *op;
  int64_t threads;
  ImplicitLocOpBuilder host;
  gpu::GPUFuncOp kernel;
  SmallVector<Value> operands;
};

/// What `buffer` was before its extents were forgotten.
Value withoutCasts(Value buffer);

/// "16x8_f32" of a buffer; unknown extents are "n".
std::string describeShape(Value buffer);

} // namespace mlir::moe

#endif // MOE_LIB_CONVERSION_MOETOGPU_KERNELLIBRARY_H
