// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_FORMATS_NUMPYARRAY_H
#define MOE_FORMATS_NUMPYARRAY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cassert>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace moe::formats {

/// The element types of the NPY files that the tools read and write.
enum class NumpyType : uint8_t { Float32, Float64, Int32, Int64 };

/// NumPy's name of a type ("float32").
llvm::StringRef name(NumpyType type);

/// An array as a .npy file holds it: little endian, C order. Format versions
/// 1, 2 and 3 are read, 1 is written. Fortran order is refused (not
/// transposed): `np.ascontiguousarray` before `np.save` is the cure that
/// the message names.
class NumpyArray {
public:
  /// An array of zeros.
  NumpyArray(NumpyType type, llvm::ArrayRef<int64_t> shape);

  /// Errors are one line that begins with the path.
  static llvm::Expected<NumpyArray> open(llvm::StringRef path);
  static llvm::Expected<NumpyArray> parse(llvm::StringRef image,
                                          llvm::StringRef fileName);
  /// Errors do not name the file.
  static llvm::Expected<NumpyArray> parse(llvm::StringRef image);
  llvm::Error write(llvm::StringRef path) const;
  /// What `write` would write.
  std::string image() const;

  NumpyType type() const { return elementType; }
  llvm::ArrayRef<int64_t> shape() const { return dimensions; }
  int64_t size() const { return elementCount; }

  /// The elements; T must be the array's type (asserted).
  template <typename T> llvm::ArrayRef<T> values() const {
    assert(typeOf<T>() == elementType && "values of another type");
    return {reinterpret_cast<const T *>(storage.data()),
            static_cast<size_t>(elementCount)};
  }
  template <typename T> llvm::MutableArrayRef<T> values() {
    assert(typeOf<T>() == elementType && "values of another type");
    return {reinterpret_cast<T *>(storage.data()),
            static_cast<size_t>(elementCount)};
  }

private:
  template <typename T> static constexpr NumpyType typeOf() {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> ||
                  std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>);
    if (std::is_same_v<T, float>) {
      return NumpyType::Float32;
    }
    if (std::is_same_v<T, double>) {
      return NumpyType::Float64;
    }
    return std::is_same_v<T, int32_t> ? NumpyType::Int32 : NumpyType::Int64;
  }

  NumpyType elementType;
  llvm::SmallVector<int64_t, 4> dimensions;
  int64_t elementCount;
  /// In units of the largest element, for its alignment.
  std::vector<uint64_t> storage;
};

} // namespace moe::formats

#endif // MOE_FORMATS_NUMPYARRAY_H
