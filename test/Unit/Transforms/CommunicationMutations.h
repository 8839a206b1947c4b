// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ways to break the communication of a correct program.
#ifndef MOE_TEST_UNIT_TRANSFORMS_COMMUNICATIONMUTATIONS_H
#define MOE_TEST_UNIT_TRANSFORMS_COMMUNICATIONMUTATIONS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"

#include <functional>
#include <string>

namespace mlir::moe::test {

/// One kind of mutation. Places are operations of a module, numbered in the
/// order of a walk, so that a place of a module is one of its clones too.
struct MutationKind {
  llvm::StringRef name;
  /// Mutates the module at an operation, in one of several variants. False
  /// where the variant does not exist there; the module is untouched then.
  std::function<bool(Operation *op, unsigned variant)> apply;
};

/// Of programs on tensors.
llvm::ArrayRef<MutationKind> getMutationKinds();
/// Of the layers of a model.
llvm::ArrayRef<MutationKind> getLayerMutationKinds();
/// Of programs on buffers, in flight.
llvm::ArrayRef<MutationKind> getBufferMutationKinds();

/// An operation of one result under a condition, `otherwise` where it does not
/// hold.
void putUnder(Operation *op, Value condition, Value otherwise);

} // namespace mlir::moe::test

#endif // MOE_TEST_UNIT_TRANSFORMS_COMMUNICATIONMUTATIONS_H
