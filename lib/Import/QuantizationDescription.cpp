// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized checkpoints are recorded, not computed with: the loader refuses
// such weights by name, random ones run in the model's dtype.

#include "ModelDescription.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::moe;

FailureOr<std::optional<Quantization>>
mlir::moe::describeQuantization(const Config &config) {
  StringRef key = "quantization_config";
  if (!config.has(key)) {
    return std::optional<Quantization>();
  }
  FailureOr<Config> object = config.getObject(key);
  if (failed(object)) {
    return failure();
  }
  FailureOr<StringRef> method = object->getChoice("quant_method", {"fp8"});
  FailureOr<StringRef> format = object->getChoiceOr("fmt", {"e4m3"}, "e4m3");
  FailureOr<StringRef> scheme =
      object->getChoiceOr("activation_scheme", {"dynamic"}, "dynamic");
  FailureOr<SmallVector<int64_t>> block =
      object->getIntegers("weight_block_size", 1);
  FailureOr<SmallVector<std::string>> excluded =
      object->getStrings("modules_to_not_convert");
  if (failed(method) || failed(format) || failed(scheme) || failed(block) ||
      failed(excluded)) {
    return failure();
  }
  if (block->size() != 2) {
    return object->emitError("weight_block_size")
           << "expected two sizes, but got " << block->size();
  }
  Quantization quantization;
  quantization.label = llvm::formatv("{0} {1} {2}x{3}", *method, *format,
                                     (*block)[0], (*block)[1]);
  quantization.scheme = scheme->str();
  quantization.excludedModules = std::move(*excluded);
  return std::optional(std::move(quantization));
}
