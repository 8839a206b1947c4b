// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Formats/FileError.h"
#include "moe/Formats/JSONCursor.h"
#include "moe/Formats/QuotedText.h"
#include "moe/Runner/Safetensors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::formats;
using namespace moe::runner;

/// The limit of the format's own implementation.
static constexpr uint64_t maximalHeaderSize = 100'000'000;

namespace {
/// A header's entry before its offsets are known to be good.
struct Declaration {
  std::optional<ElementType> type;
  std::optional<TensorShape> shape;
  llvm::SmallVector<int64_t, 2> offsets;
};
} // namespace

std::string moe::runner::toString(llvm::ArrayRef<int64_t> shape) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  stream << '[';
  llvm::interleaveComma(shape, stream);
  stream << ']';
  return result;
}

static llvm::Error readIntegers(JSONCursor &cursor,
                                llvm::SmallVectorImpl<int64_t> &integers) {
  return cursor.array([&]() -> llvm::Error {
    llvm::Expected<int64_t> integer = cursor.integer();
    if (!integer) {
      return integer.takeError();
    }
    integers.push_back(*integer);
    return llvm::Error::success();
  });
}

static llvm::Error readType(JSONCursor &cursor, Declaration &declaration) {
  llvm::Expected<std::string> typeName = cursor.string();
  if (!typeName) {
    return typeName.takeError();
  }
  declaration.type = elementTypeFromName(*typeName);
  if (!declaration.type) {
    return llvm::createStringError("expected a safetensors dtype, but got " +
                                   quoted(*typeName));
  }
  return llvm::Error::success();
}

static llvm::Error readDeclaration(JSONCursor &cursor,
                                   Declaration &declaration) {
  llvm::Error error = cursor.object([&](llvm::StringRef key) -> llvm::Error {
    if (key == "dtype") {
      return readType(cursor, declaration);
    }
    if (key == "shape") {
      return readIntegers(cursor, declaration.shape.emplace());
    }
    if (key == "data_offsets") {
      return readIntegers(cursor, declaration.offsets);
    }
    return llvm::createStringError(
        "expected 'dtype', 'shape' or 'data_offsets', but got " + quoted(key));
  });
  if (error) {
    return error;
  }
  if (!declaration.type || !declaration.shape) {
    return llvm::createStringError(
        "expected 'dtype' and 'shape', but got no " +
        llvm::Twine(declaration.type ? "'shape'" : "'dtype'"));
  }
  if (declaration.offsets.size() != 2) {
    return llvm::createStringError(
        "expected two numbers in 'data_offsets', but got " +
        llvm::Twine(declaration.offsets.size()));
  }
  return llvm::Error::success();
}

/// Checks that offsets and shape agree with each other and with the data.
static llvm::Expected<TensorView> makeView(const Declaration &declaration,
                                           llvm::StringRef data) {
  int64_t begin = declaration.offsets[0];
  int64_t end = declaration.offsets[1];
  if (begin > end || static_cast<uint64_t>(end) > data.size()) {
    return llvm::createStringError(
        "expected data offsets within " + llvm::Twine(data.size()) +
        " bytes of data, but got " + toString(declaration.offsets));
  }
  std::optional<int64_t> bits = bitWidth(*declaration.type);
  for (int64_t extent : *declaration.shape) {
    bits = bits ? llvm::checkedMul(*bits, extent) : bits;
  }
  // An overflow that a later zero would undo is refused too: no writer makes
  // such a shape.
  if (!bits || *bits % 8 != 0 || *bits / 8 != end - begin) {
    return llvm::createStringError(
        "expected the bytes of shape " + toString(*declaration.shape) + " in " +
        name(*declaration.type) + ", but got " + llvm::Twine(end - begin));
  }
  return TensorView{*declaration.type, *declaration.shape,
                    data.slice(begin, end)};
}

/// Tensors must lie back to back from the first byte of the data to the last.
static llvm::Error
checkCoverage(const std::map<std::string, TensorView> &tensors,
              llvm::StringRef data) {
  std::vector<const std::pair<const std::string, TensorView> *> order;
  for (const auto &tensor : tensors) {
    order.push_back(&tensor);
  }
  llvm::sort(order, [](const auto *left, const auto *right) {
    return std::tuple(left->second.bytes.begin(), left->second.bytes.end()) <
           std::tuple(right->second.bytes.begin(), right->second.bytes.end());
  });
  const char *position = data.begin();
  for (const auto *tensor : order) {
    const char *begin = tensor->second.bytes.begin();
    if (begin != position) {
      return llvm::createStringError(
          "tensor " + quoted(tensor->first) + ": expected data offset " +
          llvm::Twine(position - data.begin()) + ", but got " +
          llvm::Twine(begin - data.begin()) +
          (begin < position ? " (tensors overlap)" : " (bytes of no tensor)"));
    }
    position = tensor->second.bytes.end();
  }
  if (position != data.end()) {
    return llvm::createStringError(
        "expected " + llvm::Twine(position - data.begin()) +
        " bytes of data, but got " + llvm::Twine(data.size()));
  }
  return llvm::Error::success();
}

static llvm::Error readMetadata(JSONCursor &cursor) {
  return cursor.object([&](llvm::StringRef) -> llvm::Error {
    return cursor.string().takeError();
  });
}

/// Places in the header's text are not places in the file.
static llvm::Error inHeader(llvm::Error error) {
  return llvm::handleErrors(std::move(error), [](const FileError &wrong) {
    return llvm::createStringError("header:" + wrong.getPlace().toString() +
                                   ": " + wrong.getMessage());
  });
}

static llvm::Expected<std::map<std::string, TensorView>>
parseImage(llvm::StringRef image) {
  if (image.size() < 8) {
    return llvm::createStringError(
        "expected a header length of 8 bytes, but got " +
        llvm::Twine(image.size()));
  }
  uint64_t length = llvm::support::endian::read64le(image.data());
  if (length > maximalHeaderSize || length > image.size() - 8) {
    return llvm::createStringError(
        "expected a header of at most " +
        llvm::Twine(std::min<uint64_t>(maximalHeaderSize, image.size() - 8)) +
        " bytes, but got " + llvm::Twine(length));
  }
  JSONCursor cursor(image.substr(8, length));
  llvm::StringRef data = image.substr(8 + length);
  std::map<std::string, TensorView> tensors;
  llvm::Error error = cursor.object([&](llvm::StringRef key) -> llvm::Error {
    if (key == "__metadata__") {
      return readMetadata(cursor);
    }
    Declaration declaration;
    llvm::Error error = readDeclaration(cursor, declaration);
    if (!error) {
      llvm::Expected<TensorView> view = makeView(declaration, data);
      if (view) {
        tensors.emplace(key.str(), std::move(*view));
        return llvm::Error::success();
      }
      error = view.takeError();
    }
    return within("tensor " + quoted(key), std::move(error));
  });
  if (!error) {
    error = cursor.end();
  }
  if (error) {
    return inHeader(std::move(error));
  }
  if (llvm::Error error = checkCoverage(tensors, data)) {
    return std::move(error);
  }
  return tensors;
}

llvm::Expected<std::map<std::string, TensorView>>
moe::runner::parseSafetensors(llvm::StringRef image, llvm::StringRef fileName) {
  llvm::Expected<std::map<std::string, TensorView>> tensors = parseImage(image);
  if (!tensors) {
    return llvm::createStringError(fileName + ": " +
                                   llvm::toString(tensors.takeError()));
  }
  return tensors;
}
