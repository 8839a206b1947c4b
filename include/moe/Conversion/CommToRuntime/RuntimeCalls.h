// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls of the flat functions of runtime/include/moert/compiled.h.

#ifndef MOE_CONVERSION_COMMTORUNTIME_RUNTIMECALLS_H
#define MOE_CONVERSION_COMMTORUNTIME_RUNTIMECALLS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "moe/Dialect/MoE/MoE.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::moe {

/// Where a program's buffers are.
enum class BufferMemory {
  Host,
  /// The host can neither read nor write them.
  Device
};

/// Numbers the groups, collectives and handles of a module, and emits calls.
class RuntimeCalls {
public:
  explicit RuntimeCalls(ModuleOp module,
                        BufferMemory memory = BufferMemory::Host);

  BufferMemory getMemory() const { return memory; }

  /// Calls `@moert_frame_<name>(frame, operands…)`; declares it when needed.
  /// Returns the result, null for `result` null.
  Value call(ImplicitLocOpBuilder &b, StringRef name, ValueRange operands,
             Type result = nullptr);

  /// The index of the group over some axes.
  Value group(ImplicitLocOpBuilder &b, comm::AxisListAttr axes);
  /// The number of the next collective.
  Value nextId(ImplicitLocOpBuilder &b);
  /// The frame of the function that the builder is in.
  Value frame(ImplicitLocOpBuilder &b);
  /// The pointer behind a handle; `description` says what it stands for.
  Value handle(ImplicitLocOpBuilder &b, DictionaryAttr description);

  static Value i32(ImplicitLocOpBuilder &b, int64_t value);
  static Value i64(ImplicitLocOpBuilder &b, Value index);
  /// The address of a buffer's first element.
  static Value address(ImplicitLocOpBuilder &b, Value buffer);
  /// Bytes of one row (all extents but the first), or of everything.
  static Value rowBytes(ImplicitLocOpBuilder &b, Value buffer);
  static Value allBytes(ImplicitLocOpBuilder &b, Value buffer);
  static Value elementCount(ImplicitLocOpBuilder &b, Value buffer);
  /// Whether elements follow one another without gaps; the offset is free.
  static bool isContiguous(MemRefType type);
  /// `pointer` as a value of `type`: a buffer of static shape, or a handle.
  static Value viewAs(ImplicitLocOpBuilder &b, Value pointer, Type type);

  /// `moe.groups` and `moe.handles`, in the order of their indices.
  ArrayAttr getGroups() const;
  ArrayAttr getHandles() const;

private:
  ModuleOp module;
  BufferMemory memory;
  llvm::MapVector<Attribute, int64_t> groups;
  llvm::MapVector<Attribute, int64_t> handles;
  int64_t collectives = 0;
};

/// Rewrites every operation of the comm dialect, and the handles, phases and
/// layers of the moe dialect.
LogicalResult convertToRuntimeCalls(ModuleOp module, RuntimeCalls &calls);

} // namespace mlir::moe

#endif // MOE_CONVERSION_COMMTORUNTIME_RUNTIMECALLS_H
