// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and writing safetensors. A file is: the header's length (8 bytes,
// little endian), the header (JSON: name -> dtype, shape, data_offsets), the
// data. The checks are those of the format's own implementation: offsets lie
// back to back and cover the data exactly, names are unique, bytes match the
// shape.
#ifndef MOE_RUNNER_SAFETENSORS_H
#define MOE_RUNNER_SAFETENSORS_H

#include "moe/Formats/MappedFile.h"
#include "moe/Runner/ElementType.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <string>
#include <vector>

namespace moe::runner {

using TensorShape = llvm::SmallVector<int64_t, 4>;

/// "[8, 64]".
std::string toString(llvm::ArrayRef<int64_t> shape);

/// One tensor of a mapped file. `bytes` points into the map and has no
/// particular alignment.
struct TensorView {
  ElementType type;
  TensorShape shape;
  llvm::StringRef bytes;
};

/// The tensors of one safetensors image, by name. Views point into `image`.
/// `fileName` is what errors begin with.
llvm::Expected<std::map<std::string, TensorView>>
parseSafetensors(llvm::StringRef image, llvm::StringRef fileName);

/// The weights of a model: one file, or several through their index.
class Safetensors {
public:
  /// `path` is a .safetensors file, an index (*.index.json), or a directory,
  /// where model.safetensors.index.json is taken before model.safetensors
  /// before all *.safetensors together. A file that the index names but that
  /// does not exist is reported when one of its tensors is asked for, so that
  /// part of a checkpoint can be used.
  static llvm::Expected<Safetensors> open(llvm::StringRef path);

  /// The path given to `open`.
  llvm::StringRef path() const { return rootPath; }
  bool contains(llvm::StringRef name) const;
  /// Fails, naming path and tensor, when there is no such tensor.
  llvm::Expected<TensorView> lookup(llvm::StringRef name) const;
  /// All names, sorted.
  std::vector<std::string> names() const;

private:
  struct Entry {
    std::string file;
    /// False: the index has the name, its file is not there.
    bool loaded = false;
    TensorView view;
  };
  llvm::Error addFile(llvm::StringRef path);
  llvm::Error addIndex(llvm::StringRef path);
  llvm::Error addDirectory(llvm::StringRef path);

  std::string rootPath;
  std::vector<formats::MappedFile> files;
  std::map<std::string, Entry, std::less<>> entries;
};

/// Writes tensors of any type into one file, in the order of `add`.
class SafetensorsWriter {
public:
  /// Copies `bytes`, whose length must match shape and type (asserted).
  void add(llvm::StringRef name, ElementType type,
           llvm::ArrayRef<int64_t> shape, llvm::StringRef bytes);
  llvm::Error write(llvm::StringRef path) const;
  /// What `write` would write.
  std::string image() const;

private:
  struct Tensor {
    std::string name;
    ElementType type;
    TensorShape shape;
    std::string bytes;
  };
  std::vector<Tensor> tensors;
};

} // namespace moe::runner

#endif // MOE_RUNNER_SAFETENSORS_H
