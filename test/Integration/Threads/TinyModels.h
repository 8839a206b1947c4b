// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The small models of test/Inputs/models: each family in f32 and in bf16.
#ifndef MOE_TEST_INTEGRATION_THREADS_TINYMODELS_H
#define MOE_TEST_INTEGRATION_THREADS_TINYMODELS_H

#include "LayerUnderTest.h"

namespace moe::integration {

struct TinyModel {
  std::string name;
  /// Its last layer with experts.
  std::string layer;
  std::optional<int64_t> sequenceLength;

  /// That layer, planned by `plan`.
  LayerSpec makeSpec(const std::string &plan) const;
};

/// What the goldens of the reference were made of, by name: the two models of
/// a family follow each other.
const std::vector<TinyModel> &tinyModels();

} // namespace moe::integration

#endif // MOE_TEST_INTEGRATION_THREADS_TINYMODELS_H
