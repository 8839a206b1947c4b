//===- ModelFile.h - The configurations that tests read ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TEST_UNIT_MODEL_MODELFILE_H
#define MOE_TEST_UNIT_MODEL_MODELFILE_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

namespace moe::model::test {

/// The text of a configuration of test/Inputs/models/full.
inline std::string modelText(const llvm::Twine &name) {
  auto file = llvm::MemoryBuffer::getFile(
      MOE_SOURCE_DIR "/test/Inputs/models/full/" + name + ".json");
  EXPECT_TRUE(bool(file)) << name.str();
  return file ? (*file)->getBuffer().str() : "";
}

/// The text with the first `from` replaced; `from` must be there.
inline std::string replaced(std::string text, llvm::StringRef from,
                            llvm::StringRef to) {
  size_t at = text.find(from.str());
  EXPECT_NE(at, std::string::npos) << from.str();
  return text.replace(at, from.size(), to.str());
}

} // namespace moe::model::test

#endif // MOE_TEST_UNIT_MODEL_MODELFILE_H
