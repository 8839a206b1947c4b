// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/ExpertTensors.h"

#include "llvm/ADT/STLExtras.h"

using namespace moe::runner;

namespace {
/// How a per-expert name continues after "{e}", and its place in the fused
/// form.
struct FusedRow {
  llvm::StringLiteral suffix;
  llvm::StringLiteral fused;
  /// This projection is part \c part of \c parts along dimension 1.
  unsigned part;
  unsigned parts;
};
} // namespace

static constexpr llvm::StringLiteral placeholder("{e}");

static constexpr FusedRow fusedTable[] = {
    {".gate_proj.weight", "gate_up_proj", 0, 2},
    {".up_proj.weight", "gate_up_proj", 1, 2},
    {".down_proj.weight", "down_proj", 0, 1},
    {".w1.weight", "gate_up_proj", 0, 2},
    {".w3.weight", "gate_up_proj", 1, 2},
    {".w2.weight", "down_proj", 0, 1},
};

llvm::Expected<ExpertTensors>
ExpertTensors::resolve(const TensorSource &source, llvm::StringRef pattern,
                       int64_t experts, llvm::ArrayRef<int64_t> shape) {
  assert(shape.size() == 2 && pattern.contains(placeholder) &&
         "not a pattern of expert matrices");
  ExpertTensors result(source, pattern, shape);
  if (source.contains(result.tensorName(0))) {
    if (llvm::Error error = result.checkEach(experts)) {
      return std::move(error);
    }
    return std::move(result);
  }
  llvm::StringRef prefix = pattern.split(placeholder).first;
  llvm::StringRef suffix = pattern.split(placeholder).second;
  const FusedRow *row = llvm::find_if(
      fusedTable, [&](const FusedRow &row) { return row.suffix == suffix; });
  std::string fused =
      row == std::end(fusedTable) ? std::string() : (prefix + row->fused).str();
  if (fused.empty() || !source.contains(fused)) {
    llvm::Error missing = result.checkEach(1);
    if (fused.empty()) {
      return std::move(missing);
    }
    return llvm::createStringError(llvm::toString(std::move(missing)) +
                                   ", nor '" + fused + "'");
  }
  result.fusedName = fused;
  result.fusedShape = {experts, shape[0] * row->parts, shape[1]};
  result.fusedFirstRow = shape[0] * row->part;
  llvm::Expected<ElementType> type =
      source.check({fused, result.fusedShape}, ElementType::F32);
  if (!type) {
    return type.takeError();
  }
  return std::move(result);
}

llvm::Error ExpertTensors::checkEach(int64_t experts) const {
  for (int64_t expert = 0; expert < experts; ++expert) {
    llvm::Expected<ElementType> type =
        source->check({tensorName(expert), shape}, ElementType::F32);
    if (!type) {
      return type.takeError();
    }
  }
  return llvm::Error::success();
}

std::string ExpertTensors::tensorName(int64_t expert) const {
  if (isFused()) {
    return fusedName;
  }
  auto [prefix, suffix] = llvm::StringRef(pattern).split(placeholder);
  return (prefix + llvm::Twine(expert) + suffix).str();
}

int64_t ExpertTensors::firstElement(int64_t expert) const {
  if (!isFused()) {
    return 0;
  }
  return (expert * fusedShape[1] + fusedFirstRow) * fusedShape[2];
}

llvm::ArrayRef<int64_t> ExpertTensors::tensorShape() const {
  return isFused() ? fusedShape : shape;
}

llvm::Error ExpertTensors::read(int64_t expert, const Range &range,
                                ElementType type, void *destination) const {
  TensorWindow window;
  window.first =
      firstElement(expert) + range.firstRow * shape[1] + range.firstColumn;
  window.rows = range.rows;
  window.columns = range.columns;
  window.rowLength = shape[1];
  return source->read({tensorName(expert), tensorShape()}, window, type,
                      destination);
}

llvm::Error ExpertTensors::read(int64_t expert, ElementType type,
                                void *destination) const {
  return read(expert, {0, shape[0], 0, shape[1]}, type, destination);
}

const void *ExpertTensors::view(int64_t expert, ElementType type) const {
  const void *tensor = source->view({tensorName(expert), tensorShape()}, type);
  if (!tensor) {
    return nullptr;
  }
  return static_cast<const char *>(tensor) +
         firstElement(expert) * (bitWidth(type) / 8);
}
