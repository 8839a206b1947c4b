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
  /// Why a mutant that no verifier refuses means the same; empty where there is
  /// none.
  llvm::StringRef equivalence;
  /// Mutates the module at an operation, in one of several variants. False
  /// where the variant does not exist there; the module is untouched then.
  std::function<bool(Operation *op, unsigned variant)> apply;
};

llvm::ArrayRef<MutationKind> getMutationKinds();

} // namespace mlir::moe::test

#endif // MOE_TEST_UNIT_TRANSFORMS_COMMUNICATIONMUTATIONS_H
