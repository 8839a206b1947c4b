// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/Safetensors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::runner;

void SafetensorsWriter::add(llvm::StringRef name, ElementType type,
                            llvm::ArrayRef<int64_t> shape,
                            llvm::StringRef bytes) {
  [[maybe_unused]] int64_t bits = bitWidth(type);
  for (int64_t extent : shape) {
    bits *= extent;
  }
  assert(bits == static_cast<int64_t>(bytes.size()) * 8 &&
         "bytes of another shape");
  tensors.push_back({name.str(), type, TensorShape(shape), bytes.str()});
}

std::string SafetensorsWriter::image() const {
  std::string header;
  llvm::raw_string_ostream stream(header);
  llvm::json::OStream json(stream);
  int64_t offset = 0;
  json.object([&] {
    for (const Tensor &tensor : tensors) {
      json.attributeObject(tensor.name, [&] {
        json.attribute("dtype", name(tensor.type));
        json.attribute("shape", llvm::json::Array(tensor.shape));
        int64_t end = offset + static_cast<int64_t>(tensor.bytes.size());
        json.attribute("data_offsets", llvm::json::Array{offset, end});
        offset = end;
      });
    }
  });
  json.flush();
  // Spaces align the data, as the format recommends.
  header.append((8 - header.size() % 8) % 8, ' ');

  std::string result;
  uint64_t length = header.size();
  for (unsigned byte = 0; byte < 8; ++byte) {
    result += static_cast<char>(length >> (8 * byte));
  }
  result += header;
  for (const Tensor &tensor : tensors) {
    result += tensor.bytes;
  }
  return result;
}

llvm::Error SafetensorsWriter::write(llvm::StringRef path) const {
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (!code) {
    stream << image();
    stream.close();
    code = stream.error();
    stream.clear_error();
  }
  if (code) {
    return llvm::createStringError(path + ": " + code.message());
  }
  return llvm::Error::success();
}
