// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which buffers an operation reads, writes or frees, and by whom.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERTOUCHES_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERTOUCHES_H

#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::moe {

/// What happens to a buffer. Of two things, the later one counts more.
enum class TouchKind { Read, Write, Free };

struct BufferTouch {
  Operation *op;
  Value buffer;
  TouchKind kind;
};

/// Finds touches by the effects of operations; of an operation of which nothing
/// is known, all its buffers are written. Looks through calls: a function does
/// to an argument what its operations do, a declared one what its
/// `bufferization.access` says, else anything but free it.
class BufferTouches {
public:
  /// What an operation does, and what stands in its regions.
  SmallVector<BufferTouch> get(Operation *op);

private:
  /// What a function does to an argument; nothing to handles and scalars.
  using ArgumentTouches = SmallVector<SmallVector<TouchKind>>;

  void add(Operation *op, SmallVectorImpl<BufferTouch> &touches);
  void addCall(CallOpInterface call, SmallVectorImpl<BufferTouch> &touches);
  const ArgumentTouches &summarize(FunctionOpInterface function);

  SymbolTableCollection symbols;
  DenseMap<Operation *, ArgumentTouches> summaries;
};

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERTOUCHES_H
