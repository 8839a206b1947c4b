// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where weights come from: files or a random generator, behind one interface.
#ifndef MOE_RUNNER_TENSORSOURCE_H
#define MOE_RUNNER_TENSORSOURCE_H

#include "moe/Runner/Safetensors.h"

#include "llvm/Support/Error.h"

#include <memory>

namespace moe::runner {

/// A tensor under its checkpoint name with the shape that the model expects.
struct TensorRequest {
  llvm::StringRef name;
  llvm::ArrayRef<int64_t> shape;
};

/// A rectangle of a tensor that is seen as rows of `rowLength` elements:
/// element (r, c) is element `first + r * rowLength + c` of the whole tensor.
struct TensorWindow {
  int64_t first = 0;
  int64_t rows = 1;
  int64_t columns = 0;
  int64_t rowLength = 0;

  /// All of a tensor of this shape.
  static TensorWindow whole(llvm::ArrayRef<int64_t> shape);
};

/// Safe to read from several threads at once. Errors are one line and name the
/// source and the tensor.
class TensorSource {
public:
  virtual ~TensorSource();

  /// Says whether the source has a tensor of this name, of whatever shape.
  virtual bool contains(llvm::StringRef name) const = 0;

  /// The type that the tensor is stored in; `preferred` where the source has
  /// none of its own. Fails when the tensor is missing, has another shape or a
  /// type that cannot be read.
  virtual llvm::Expected<ElementType> check(const TensorRequest &request,
                                            ElementType preferred) const = 0;

  /// Writes the window, rows back to back, as `type` (F32, BF16 or F16) to
  /// `destination`. Only the window's part of a file is touched.
  virtual llvm::Error read(const TensorRequest &request,
                           const TensorWindow &window, ElementType type,
                           void *destination) const = 0;

  /// The first element of the tensor where it lies in memory already as
  /// `type` and aligned for it, valid as long as the source; null otherwise.
  virtual const void *view(const TensorRequest &request,
                           ElementType type) const;
};

/// Weights from safetensors files.
class SafetensorsSource final : public TensorSource {
public:
  static llvm::Expected<std::unique_ptr<SafetensorsSource>>
  open(llvm::StringRef path);
  explicit SafetensorsSource(Safetensors files) : files(std::move(files)) {}

  bool contains(llvm::StringRef name) const override;
  llvm::Expected<ElementType> check(const TensorRequest &request,
                                    ElementType preferred) const override;
  llvm::Error read(const TensorRequest &request, const TensorWindow &window,
                   ElementType type, void *destination) const override;
  const void *view(const TensorRequest &request,
                   ElementType type) const override;

private:
  llvm::Expected<TensorView> find(const TensorRequest &request) const;

  Safetensors files;
};

/// Weights from the random generator: it has every name.
class RandomSource final : public TensorSource {
public:
  explicit RandomSource(uint64_t seed) : seed(seed) {}

  bool contains(llvm::StringRef name) const override;
  llvm::Expected<ElementType> check(const TensorRequest &request,
                                    ElementType preferred) const override;
  llvm::Error read(const TensorRequest &request, const TensorWindow &window,
                   ElementType type, void *destination) const override;

private:
  uint64_t seed;
};

} // namespace moe::runner

#endif // MOE_RUNNER_TENSORSOURCE_H
