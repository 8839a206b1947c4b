// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checkpoints store the experts of a layer in one of two forms:
//
//   one tensor an expert    model.layers.3.mlp.experts.7.gate_proj.weight  [I,
//   H] fused                   model.layers.3.mlp.experts.gate_up_proj     [E,
//   2I, H]
//                           model.layers.3.mlp.experts.down_proj        [E, H,
//                           I]
//
// The fused form is that of transformers 5. Its layout is taken from
// src/transformers/conversion_mapping.py at huggingface/transformers@000c33f:
// the [I, H] tensors are stacked in expert order along a new first dimension,
// then gate and up are concatenated along dimension 1, gate first (Mixtral: w1,
// then w3). Each slice stays [out, in]. Mixtral's module is called
// block_sparse_moe in the first form and mlp in the second.
#ifndef MOE_RUNNER_EXPERTTENSORS_H
#define MOE_RUNNER_EXPERTTENSORS_H

#include "moe/Runner/TensorSource.h"

#include <string>

namespace moe::runner {

/// One projection of all experts of a layer, in whichever form a source has
/// it. Keeps a reference to the source.
class ExpertTensors {
public:
  /// `pattern` is the per-expert name with "{e}" for the expert's number;
  /// `shape` is one expert's [out, in]. Fails when the source has neither
  /// form, naming both, or when a shape or type is wrong. The per-expert form
  /// is preferred. Patterns that name no fused form (Switch's wi, wo) have only
  /// the first.
  static llvm::Expected<ExpertTensors> resolve(const TensorSource &source,
                                               llvm::StringRef pattern,
                                               int64_t experts,
                                               llvm::ArrayRef<int64_t> shape);

  bool isFused() const { return !fusedName.empty(); }
  /// The tensor that holds this expert.
  std::string tensorName(int64_t expert) const;

  /// Rows [firstRow, firstRow + rows) and columns [firstColumn, firstColumn +
  /// columns) of the expert's [out, in] matrix, rows back to back.
  struct Range {
    int64_t firstRow = 0;
    int64_t rows = 0;
    int64_t firstColumn = 0;
    int64_t columns = 0;
  };
  llvm::Error read(int64_t expert, const Range &range, ElementType type,
                   void *destination) const;
  /// The whole matrix of one expert.
  llvm::Error read(int64_t expert, ElementType type, void *destination) const;
  /// Where the expert's matrix lies in memory as `type`; null if it doesn't.
  const void *view(int64_t expert, ElementType type) const;

private:
  ExpertTensors(const TensorSource &source, llvm::StringRef pattern,
                llvm::ArrayRef<int64_t> shape)
      : source(&source), pattern(pattern), shape(shape) {}
  llvm::Error checkEach(int64_t experts) const;
  /// First element of the expert's matrix within its tensor.
  int64_t firstElement(int64_t expert) const;
  llvm::ArrayRef<int64_t> tensorShape() const;

  const TensorSource *source;
  std::string pattern;
  TensorShape shape;
  /// Empty in the per-expert form.
  std::string fusedName;
  TensorShape fusedShape;
  /// Row of the fused slice at which this projection begins.
  int64_t fusedFirstRow = 0;
};

} // namespace moe::runner

#endif // MOE_RUNNER_EXPERTTENSORS_H
