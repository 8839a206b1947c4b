// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header of a .npy file: magic, version, length, a Python dictionary.
#ifndef MOE_LIB_FORMATS_NUMPYHEADER_H
#define MOE_LIB_FORMATS_NUMPYHEADER_H

#include "moe/Formats/NumpyArray.h"

namespace moe::formats {

struct NumpyHeader {
  NumpyType type = NumpyType::Float32;
  llvm::SmallVector<int64_t, 4> shape;
  /// Where the elements begin.
  size_t dataOffset = 0;
};

unsigned byteWidth(NumpyType type);
/// Of all elements; nothing when the product overflows.
std::optional<int64_t> elementCount(llvm::ArrayRef<int64_t> shape);
llvm::Expected<NumpyHeader> parseNumpyHeader(llvm::StringRef image);
/// A version 1 header, padded so that the data is 64-byte aligned.
std::string makeNumpyHeader(NumpyType type, llvm::ArrayRef<int64_t> shape);

} // namespace moe::formats

#endif // MOE_LIB_FORMATS_NUMPYHEADER_H
