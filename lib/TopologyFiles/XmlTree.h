//===- XmlTree.h - The elements of an XML file ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_TOPOLOGYFILES_XMLTREE_H
#define MOE_LIB_TOPOLOGYFILES_XMLTREE_H

#include "moe/Formats/FileError.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <optional>
#include <vector>

namespace moe::topology {

struct XmlElement {
  std::string name;
  llvm::SmallVector<std::pair<std::string, std::string>, 8> attributes;
  /// Indices into XmlTree::elements().
  std::vector<uint32_t> children;
  unsigned line = 0;

  std::optional<llvm::StringRef> find(llvm::StringRef attribute) const;
};

/// Elements and attributes only: text and comments are dropped, document types
/// (and so entities) are refused.
class XmlTree {
public:
  /// The most elements of a file; NCCL's own limit is 256 a host.
  static constexpr size_t maxElements = 65536;

  static llvm::Expected<XmlTree> parse(llvm::MemoryBufferRef file);

  const XmlElement &root() const { return elementList.front(); }
  const XmlElement &operator[](uint32_t index) const {
    return elementList[index];
  }

private:
  friend class XmlReader;
  std::vector<XmlElement> elementList;
};

} // namespace moe::topology

#endif // MOE_LIB_TOPOLOGYFILES_XMLTREE_H
