//===- ModelShape.h - How large a model is ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What memory estimates and planners need of a model: its weights as groups of
// equal matrices with their formats, and what a sequence keeps in the cache. It
// is read from a Hugging Face config.json (or the native keys of Grok-1 and of
// flaxformer's gin files) without the compiler, for more families than the
// compiler imports.
//
// Weights are counted as checkpoints hold them, biases and norms included.
// Layers that predict further tokens, and vision encoders, are not counted;
// `notes` says so.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_MODEL_MODELSHAPE_H
#define MOE_MODEL_MODELSHAPE_H

#include "moe/Model/ConfigObject.h"

namespace moe::model {

/// How numbers are stored.
struct NumberFormat {
  /// `bf16`, `fp8 128x128`, `mxfp4`
  std::string name = "bf16";
  double bits = 16;
  /// A matrix has a scale of `scaleBits` for each block of so many rows and
  /// columns; 0 where it has none.
  int64_t blockRows = 0;
  int64_t blockColumns = 0;
  double scaleBits = 0;

  bool hasScales() const { return blockRows > 0; }
  /// Of a matrix, without its scales.
  double bytesOf(int64_t rows, int64_t columns) const {
    return double(rows) * columns * bits / 8;
  }
  double scaleBytesOf(int64_t rows, int64_t columns) const;
};

enum class WeightKind {
  Embedding,
  OutputHead,
  Norm,
  /// Attention, or what a layer has in its place.
  Attention,
  Router,
  DenseFeedForward,
  SharedExpert,
  Expert
};

inline constexpr unsigned weightKindCount = 8;

/// `embedding`, `output head`, `norms`, …
llvm::StringRef toString(WeightKind kind);

/// Matrices of one size; vectors have one row.
struct WeightGroup {
  WeightKind kind = WeightKind::Norm;
  std::string name;
  int64_t rows = 1;
  int64_t columns = 1;
  /// In the whole model: one a layer, or one for each expert of each layer.
  int64_t count = 0;
  NumberFormat format;

  double parameters() const { return double(rows) * columns * count; }
  /// Scales included.
  double bytes() const {
    return (format.bytesOf(rows, columns) + scaleBytesOfOne()) * count;
  }
  double scaleBytes() const { return scaleBytesOfOne() * count; }

private:
  double scaleBytesOfOne() const { return format.scaleBytesOf(rows, columns); }
};

/// What some layers keep of a sequence.
struct CacheGroup {
  std::string name;
  int64_t layers = 0;
  /// Numbers for each token, in each of the layers.
  double numbersPerToken = 0;
  /// Only so many last tokens are kept; 0 stands for all.
  int64_t window = 0;
  /// Numbers for a sequence however long it is, in each of the layers.
  double numbersPerSequence = 0;
  /// The most devices that can share them out: heads are never cut.
  int64_t parts = 1;

  /// Of one sequence of `context` tokens, in all layers.
  double numbers(int64_t context) const;
};

struct ModelShape {
  /// The configuration's model type.
  std::string family;
  int64_t hidden = 0;
  int64_t layers = 0;
  int64_t expertLayers = 0;
  int64_t experts = 0;
  /// Experts that a token takes.
  int64_t choices = 0;
  int64_t expertWidth = 0;
  /// What is not quantized.
  NumberFormat dtype;
  std::vector<WeightGroup> weights;
  std::vector<CacheGroup> caches;
  /// What is missing or assumed, in words.
  std::vector<std::string> notes;

  double parameters() const;
  double parametersOf(WeightKind kind) const;
  /// What one token uses: all weights, but of the experts only its choices.
  double activeParameters() const;
  double bytes() const;
  double bytesOf(WeightKind kind) const;
  double activeBytes() const;
  /// One expert of one layer, scales included.
  double expertBytes() const;
  double expertScaleBytes() const;
  double expertParameters() const;
  /// Of one sequence, in the model's dtype.
  double cacheBytes(int64_t context) const;
};

/// Reads the configuration; errors name the key and its place.
llvm::Expected<ModelShape> readModelShape(const ConfigObject &config);
llvm::Expected<ModelShape> readModelShape(llvm::StringRef text,
                                          llvm::StringRef file);

/// The model types that `readModelShape` knows, sorted.
std::vector<std::string> knownModelTypes();

} // namespace moe::model

#endif // MOE_MODEL_MODELSHAPE_H
