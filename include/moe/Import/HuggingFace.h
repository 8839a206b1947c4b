// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the config.json of a Hugging Face model to a module of the model level:
// a dataflow graph on global tensors.

#ifndef MOE_IMPORT_HUGGINGFACE_H
#define MOE_IMPORT_HUGGINGFACE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>
#include <string>

namespace mlir::moe {

/// The bound of the token dimension where none is asked for.
inline constexpr int64_t kDefaultMaxTokens = 8192;

/// What the configuration does not say. Values may be out of range: the import
/// reports them.
struct HuggingFaceImportOptions {
  /// Only the first layers (of each stack); all by default.
  std::optional<int64_t> layers;
  /// A static token dimension; dynamic, up to kDefaultMaxTokens, by default.
  std::optional<int64_t> tokens;
  /// Tokens of a sequence, which matters where capacity is per sequence; the
  /// whole input is one sequence by default.
  std::optional<int64_t> sequenceLength;
  /// "bf16", "f32" or "f16"; the configuration's by default, else bf16.
  std::optional<std::string> dtype;
};

/// The decoder (or encoder and decoder) that `text`, the contents of `file`,
/// describes; null after an error, which is reported at the key's position.
/// The context needs no dialects loaded.
OwningOpRef<ModuleOp>
importHuggingFaceConfig(StringRef text, StringRef file,
                        const HuggingFaceImportOptions &options,
                        MLIRContext *context);

/// Registers `--import-hf-config` and its flags for mlirTranslateMain.
void registerHuggingFaceImport();

} // namespace mlir::moe

#endif // MOE_IMPORT_HUGGINGFACE_H
