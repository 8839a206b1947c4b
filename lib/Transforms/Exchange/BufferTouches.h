// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which buffers an operation reads, writes or frees, and by whom.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERTOUCHES_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERTOUCHES_H

#include "BufferAliases.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::moe {

/// What happens to a buffer. Of two things, the later one counts more.
enum class TouchKind { Read, Write, Free };

struct BufferTouch {
  Operation *op;
  TouchKind kind;
  /// What is touched, by its name in the function; null where it has none.
  Value buffer;
  /// Where it has none: the name of memory in the module, or null for whatever
  /// can be reached without being given; see BufferAliases::mayBe.
  Attribute name;
  /// Which operation of a function that is called touches what has no name
  /// where it is called; null without a call.
  Operation *inside = nullptr;

  /// Whether it may touch a buffer of the function.
  bool mayTouch(Value other, BufferAliases &aliases) const {
    return buffer ? aliases.mayOverlap(other, buffer)
                  : aliases.mayBe(other, name);
  }
};

/// Finds touches by the effects of operations; of an operation of which nothing
/// is known, all its buffers are written, and what it reaches besides. Looks
/// through calls: a function does to an argument, and to what has a name in the
/// module, what its operations do. A declared one does to an argument what its
/// `bufferization.access` says, else anything but free it, and writes the
/// globals that are public.
class BufferTouches {
public:
  /// What an operation does, and what stands in its regions.
  SmallVector<BufferTouch> get(Operation *op);

private:
  struct Summary {
    /// What is done to an argument; nothing to handles and scalars.
    SmallVector<SmallVector<TouchKind>> arguments;
    /// What is done to memory that is not given, once for each name and kind.
    SmallVector<BufferTouch> others;
  };

  void add(Operation *op, SmallVectorImpl<BufferTouch> &touches);
  void addCall(CallOpInterface call, SmallVectorImpl<BufferTouch> &touches);
  const Summary &summarize(FunctionOpInterface function);
  Summary summarizeBody(FunctionOpInterface function);
  static Summary summarizeDeclared(FunctionOpInterface function);

  SymbolTableCollection symbols;
  DenseMap<Operation *, Summary> summaries;
};

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERTOUCHES_H
