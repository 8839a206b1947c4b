// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/TensorSource.h"
#include "moe/Formats/QuotedText.h"
#include "moe/Runner/RandomTensor.h"

using namespace moe::formats;
using namespace moe::runner;

TensorWindow TensorWindow::whole(llvm::ArrayRef<int64_t> shape) {
  int64_t columns = shape.empty() ? 1 : shape.back();
  int64_t rows = 1;
  for (int64_t extent : shape.empty() ? shape : shape.drop_back()) {
    rows *= extent;
  }
  return {0, rows, columns, columns};
}

/// Whether the window lies within a tensor of this shape.
[[maybe_unused]] static bool fits(const TensorWindow &window,
                                  llvm::ArrayRef<int64_t> shape) {
  int64_t size = 1;
  for (int64_t extent : shape) {
    size *= extent;
  }
  bool isEmpty = window.rows == 0 || window.columns == 0;
  return isEmpty || (window.first >= 0 && window.columns <= window.rowLength &&
                     window.first + (window.rows - 1) * window.rowLength +
                             window.columns <=
                         size);
}

/// Calls \p read(first element, count, destination) for the longest runs of
/// consecutive elements.
template <typename Function>
static void forEachRun(const TensorWindow &window, ElementType type,
                       void *destination, Function read) {
  if (window.columns == window.rowLength) {
    read(window.first, window.rows * window.columns, destination);
    return;
  }
  char *output = static_cast<char *>(destination);
  for (int64_t row = 0; row < window.rows; ++row) {
    read(window.first + row * window.rowLength, window.columns,
         output + row * window.columns * (bitWidth(type) / 8));
  }
}

TensorSource::~TensorSource() = default;

const void *TensorSource::view(const TensorRequest &, ElementType) const {
  return nullptr;
}

llvm::Expected<std::unique_ptr<SafetensorsSource>>
SafetensorsSource::open(llvm::StringRef path) {
  llvm::Expected<Safetensors> files = Safetensors::open(path);
  if (!files) {
    return files.takeError();
  }
  return std::make_unique<SafetensorsSource>(std::move(*files));
}

/// transformers 5 calls Mixtral's block mlp where the published checkpoints
/// call it block_sparse_moe (conversion_mapping.py at
/// huggingface/transformers@000c33f).
static std::string alternativeName(llvm::StringRef name) {
  static constexpr llvm::StringLiteral published = ".block_sparse_moe.";
  size_t position = name.find(published);
  if (position == llvm::StringRef::npos) {
    return name.str();
  }
  return (name.take_front(position) + ".mlp." +
          name.substr(position + published.size()))
      .str();
}

bool SafetensorsSource::contains(llvm::StringRef name) const {
  return files.contains(name) || files.contains(alternativeName(name));
}

llvm::Expected<TensorView>
SafetensorsSource::find(const TensorRequest &request) const {
  std::string alternative = alternativeName(request.name);
  llvm::StringRef name = request.name;
  if (!files.contains(name) && files.contains(alternative)) {
    name = alternative;
  }
  llvm::Expected<TensorView> view = files.lookup(name);
  if (!view) {
    return view.takeError();
  }
  if (llvm::ArrayRef<int64_t>(view->shape) != request.shape) {
    return llvm::createStringError(
        files.path() + ": tensor " + quoted(name) + ": expected shape " +
        toString(request.shape) + ", but got " + toString(view->shape));
  }
  if (!isReadable(view->type)) {
    return llvm::createStringError(
        files.path() + ": tensor " + quoted(name) +
        ": expected dtype F32, BF16 or F16, but got " +
        moe::runner::name(view->type));
  }
  return view;
}

llvm::Expected<ElementType>
SafetensorsSource::check(const TensorRequest &request,
                         ElementType preferred) const {
  llvm::Expected<TensorView> view = find(request);
  if (!view) {
    return view.takeError();
  }
  return view->type;
}

llvm::Error SafetensorsSource::read(const TensorRequest &request,
                                    const TensorWindow &window,
                                    ElementType type, void *destination) const {
  assert(fits(window, request.shape) && "a window outside of its tensor");
  llvm::Expected<TensorView> view = find(request);
  if (!view) {
    return view.takeError();
  }
  const char *bytes = view->bytes.data();
  int64_t width = bitWidth(view->type) / 8;
  forEachRun(window, type, destination,
             [&](int64_t first, int64_t count, void *output) {
               convert(view->type, bytes + first * width, type, output, count);
             });
  return llvm::Error::success();
}

const void *SafetensorsSource::view(const TensorRequest &request,
                                    ElementType type) const {
  llvm::Expected<TensorView> view = find(request);
  if (!view) {
    llvm::consumeError(view.takeError());
    return nullptr;
  }
  uintptr_t address = reinterpret_cast<uintptr_t>(view->bytes.data());
  bool isAligned = address % (bitWidth(view->type) / 8) == 0;
  return view->type == type && isAligned ? view->bytes.data() : nullptr;
}

bool RandomSource::contains(llvm::StringRef) const { return true; }

llvm::Expected<ElementType> RandomSource::check(const TensorRequest &,
                                                ElementType preferred) const {
  return preferred;
}

llvm::Error RandomSource::read(const TensorRequest &request,
                               const TensorWindow &window, ElementType type,
                               void *destination) const {
  assert(fits(window, request.shape) && "a window outside of its tensor");
  RandomTensor tensor(request.name, seed, request.shape);
  forEachRun(window, type, destination,
             [&](int64_t first, int64_t count, void *output) {
               tensor.fill(first, count, type, output);
             });
  return llvm::Error::success();
}
