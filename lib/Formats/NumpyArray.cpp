// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Formats/NumpyArray.h"
#include "NumpyHeader.h"
#include "moe/Formats/MappedFile.h"
#include "moe/Formats/OutputFile.h"

#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace moe::formats;

NumpyArray::NumpyArray(NumpyType type, llvm::ArrayRef<int64_t> shape)
    : elementType(type), dimensions(shape),
      elementCount(moe::formats::elementCount(shape).value()),
      storage((elementCount * byteWidth(type) + sizeof(uint64_t) - 1) /
              sizeof(uint64_t)) {}

llvm::Expected<NumpyArray> NumpyArray::parse(llvm::StringRef image) {
  llvm::Expected<NumpyHeader> header = parseNumpyHeader(image);
  if (!header) {
    return header.takeError();
  }
  llvm::StringRef data = image.substr(header->dataOffset);
  std::optional<int64_t> count = formats::elementCount(header->shape);
  uint64_t width = byteWidth(header->type);
  // Compared by division: the product of a wild shape may not fit.
  if (!count || data.size() % width != 0 ||
      data.size() / width != static_cast<uint64_t>(*count)) {
    return llvm::createStringError(
        "expected " + (count ? llvm::Twine(*count) : llvm::Twine("2^63")) +
        " elements of " + llvm::Twine(width) + " bytes, but got " +
        llvm::Twine(data.size()) + " bytes");
  }
  NumpyArray array(header->type, header->shape);
  if (!data.empty()) {
    char *destination =
        header->type == NumpyType::Float32
            ? reinterpret_cast<char *>(array.values<float>().data())
        : header->type == NumpyType::Float64
            ? reinterpret_cast<char *>(array.values<double>().data())
        : header->type == NumpyType::Int32
            ? reinterpret_cast<char *>(array.values<int32_t>().data())
            : reinterpret_cast<char *>(array.values<int64_t>().data());
    std::memcpy(destination, data.data(), data.size());
  }
  return std::move(array);
}

llvm::Expected<NumpyArray> NumpyArray::parse(llvm::StringRef image,
                                             llvm::StringRef fileName) {
  llvm::Expected<NumpyArray> array = parse(image);
  if (!array) {
    return llvm::createStringError(fileName + ": " +
                                   llvm::toString(array.takeError()));
  }
  return array;
}

llvm::Expected<NumpyArray> NumpyArray::open(llvm::StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file) {
    return file.takeError();
  }
  return parse(file->bytes(), path);
}

std::string NumpyArray::image() const {
  std::string result = makeNumpyHeader(elementType, dimensions);
  result.append(reinterpret_cast<const char *>(storage.data()),
                elementCount * byteWidth(elementType));
  return result;
}

llvm::Error NumpyArray::write(llvm::StringRef path) const {
  return writeFile(path, [&](llvm::raw_ostream &stream) {
    stream << makeNumpyHeader(elementType, dimensions);
    stream.write(reinterpret_cast<const char *>(storage.data()),
                 elementCount * byteWidth(elementType));
  });
}
