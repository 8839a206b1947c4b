//===- NvidiaSmiTopo.cpp - The matrix of nvidia-smi topo -m ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The table is made for eyes: columns are separated by tabs, by spaces or by
// both, the header may be underlined, affinity columns may be empty or missing,
// and other lines may stand around it. So words are what counts; only the
// affinity columns, which may be empty, are told apart by tabs.
//
//===----------------------------------------------------------------------===//

#include "NvidiaSmiTopo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace moe::topology;
using llvm::formatv;

/// The most devices of a matrix.
static constexpr size_t maxDevices = 512;

namespace {
struct Word {
  llvm::StringRef text;
  /// From 1.
  unsigned column = 0;
};
} // namespace

namespace moe::topology {
class TopoMatrixReader {
public:
  explicit TopoMatrixReader(llvm::MemoryBufferRef file) : file(file) {}

  llvm::Expected<TopoMatrix> read();

private:
  llvm::Error fail(unsigned line, unsigned column,
                   const llvm::Twine &message) const {
    return fileError({file.getBufferIdentifier().str(), line, column}, message);
  }
  llvm::Error splitLines();
  llvm::Error readHeader();
  llvm::Error readRows();
  llvm::Error readRow(size_t row);
  llvm::Expected<MatrixCell> readCell(const Word &word) const;
  void readAffinity(MatrixDevice &device, llvm::StringRef rest);
  llvm::Error verifySymmetry() const;
  void readLegend();

  llvm::MemoryBufferRef file;
  std::vector<std::string> lines;
  /// Index of the line that is next to read.
  size_t next = 0;
  TopoMatrix matrix;
  /// Where each row and cell stands, for errors.
  std::vector<unsigned> rowLines;
  std::vector<unsigned> cellColumns;
};
} // namespace moe::topology

/// The line without the escape sequences of terminals.
static std::string stripEscapes(llvm::StringRef line) {
  std::string text;
  for (size_t index = 0; index < line.size(); ++index) {
    if (line[index] == '\x1b') {
      while (index < line.size() && !llvm::isAlpha(line[index])) {
        ++index;
      }
      continue;
    }
    text += line[index];
  }
  return text;
}

static std::vector<Word> wordsOf(llvm::StringRef line) {
  std::vector<Word> words;
  size_t begin = line.find_first_not_of(" \t");
  while (begin != llvm::StringRef::npos) {
    size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    words.push_back({line.slice(begin, end), static_cast<unsigned>(begin + 1)});
    begin = line.find_first_not_of(" \t", end);
  }
  return words;
}

static bool isGpuLabel(llvm::StringRef word) {
  return word.consume_front("GPU") && !word.empty() &&
         llvm::all_of(word, llvm::isDigit);
}

llvm::Error TopoMatrixReader::splitLines() {
  llvm::StringRef text = file.getBuffer();
  size_t bad = 0;
  if (!llvm::json::isUTF8(text, &bad)) {
    return fail(text.take_front(bad).count('\n') + 1, 0,
                "expected UTF-8 text, but got other bytes");
  }
  text.consume_front("\xef\xbb\xbf");
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, '\n');
  for (llvm::StringRef part : parts) {
    lines.push_back(stripEscapes(part.rtrim('\r')));
  }
  return llvm::Error::success();
}

llvm::Error TopoMatrixReader::readHeader() {
  for (; next < lines.size(); ++next) {
    std::vector<Word> words = wordsOf(lines[next]);
    // A row begins with a GPU as well, and then has its classes.
    bool isHeader = !words.empty() && isGpuLabel(words[0].text) &&
                    (words.size() == 1 || words[1].text != "X");
    if (!isHeader) {
      continue;
    }
    for (size_t index = 0; index < words.size(); ++index) {
      llvm::StringRef word = words[index].text;
      bool isTitle = word == "CPU" || word == "NUMA" ||
                     (word == "GPU" && index + 1 < words.size() &&
                      words[index + 1].text == "NUMA");
      if (isTitle) {
        break;
      }
      if (llvm::any_of(matrix.deviceList, [&](const MatrixDevice &device) {
            return device.label == word;
          })) {
        return fail(
            next + 1, words[index].column,
            formatv("expected distinct devices, but got {0} twice", word));
      }
      matrix.deviceList.push_back({word.str(), isGpuLabel(word)});
    }
    ++next;
    return matrix.deviceList.size() <= maxDevices
               ? llvm::Error::success()
               : fail(next, 0,
                      formatv("expected at most {0} devices, but got {1}",
                              maxDevices, matrix.deviceList.size()));
  }
  return fail(lines.size(), 0,
              "expected the table of `nvidia-smi topo -m`, with a header that "
              "begins with GPU0");
}

llvm::Expected<MatrixCell> TopoMatrixReader::readCell(const Word &word) const {
  static constexpr std::pair<llvm::StringRef, MatrixClass> classes[] = {
      {"X", MatrixClass::X},       {"PIX", MatrixClass::PIX},
      {"PXB", MatrixClass::PXB},   {"PHB", MatrixClass::PHB},
      {"NODE", MatrixClass::NODE}, {"SYS", MatrixClass::SYS},
      {"SOC", MatrixClass::SYS}};
  for (auto [name, matrixClass] : classes) {
    if (word.text == name) {
      return MatrixCell{matrixClass, 0};
    }
  }
  llvm::StringRef digits = word.text;
  int64_t count = 0;
  if (digits.consume_front("NV") && !digits.getAsInteger(10, count) &&
      count > 0) {
    return MatrixCell{MatrixClass::NV, count};
  }
  bool isP2p = llvm::is_contained({"OK", "CNS", "GNS", "TNS", "NS", "U", "DR"},
                                  word.text);
  return fail(next + 1, word.column,
              formatv("expected a class such as NV12, PIX or SYS, but got "
                      "'{0}'{1}",
                      word.text,
                      isP2p ? ": this is the table of `topo -p2p`" : ""));
}

/// `0` of `0-31,64-95<tab>0<tab><tab>N/A`.
void TopoMatrixReader::readAffinity(MatrixDevice &device,
                                    llvm::StringRef rest) {
  llvm::SmallVector<llvm::StringRef> fields;
  if (rest.contains('\t')) {
    rest.split(fields, '\t');
    // The first field ends the last class.
    fields.erase(fields.begin());
  } else {
    for (const Word &word : wordsOf(rest)) {
      fields.push_back(word.text);
    }
  }
  int64_t numa = 0;
  if (fields.size() > 1 && !fields[1].trim().getAsInteger(10, numa)) {
    device.numaNode = numa;
  }
}

llvm::Error TopoMatrixReader::readRow(size_t row) {
  MatrixDevice &device = matrix.deviceList[row];
  size_t count = matrix.deviceList.size();
  llvm::StringRef line = next < lines.size() ? lines[next] : llvm::StringRef();
  std::vector<Word> words = wordsOf(line);
  if (words.empty() || words.front().text != device.label) {
    return fail(std::min(next + 1, lines.size()),
                words.empty() ? 1 : words.front().column,
                formatv("expected the row of {0}, but {1}", device.label,
                        words.empty()
                            ? "the table ends here"
                            : formatv("got '{0}'", words.front().text).str()));
  }
  for (size_t column = 0; column < count; ++column) {
    if (column + 1 == words.size()) {
      return fail(next + 1, line.size() + 1,
                  formatv("expected the class of {0} and {1}, but the row ends "
                          "here",
                          device.label, matrix.deviceList[column].label));
    }
    llvm::Expected<MatrixCell> cell = readCell(words[column + 1]);
    if (!cell) {
      return cell.takeError();
    }
    if ((cell->matrixClass == MatrixClass::X) != (row == column)) {
      return fail(next + 1, words[column + 1].column,
                  formatv("expected X where a device meets itself and only "
                          "there, but got '{0}' for {1} and {2}",
                          words[column + 1].text, device.label,
                          matrix.deviceList[column].label));
    }
    if (cell->nvlinks > 0 &&
        !(device.isGpu && matrix.deviceList[column].isGpu)) {
      return fail(next + 1, words[column + 1].column,
                  formatv("expected NVLinks between GPUs only, but got '{0}' "
                          "for {1} and {2}",
                          words[column + 1].text, device.label,
                          matrix.deviceList[column].label));
    }
    cellColumns.push_back(words[column + 1].column);
    matrix.cells.push_back(*cell);
  }
  const Word &last = words[count];
  readAffinity(device, line.drop_front(last.column - 1 + last.text.size()));
  rowLines.push_back(next + 1);
  ++next;
  return llvm::Error::success();
}

llvm::Error TopoMatrixReader::readRows() {
  for (size_t row = 0; row < matrix.deviceList.size(); ++row) {
    if (llvm::Error error = readRow(row)) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error TopoMatrixReader::verifySymmetry() const {
  size_t count = matrix.deviceList.size();
  for (size_t row = 0; row < count; ++row) {
    for (size_t column = 0; column < row; ++column) {
      if (matrix.at(row, column) == matrix.at(column, row)) {
        continue;
      }
      llvm::StringRef line = lines[rowLines[row] - 1];
      llvm::StringRef other = lines[rowLines[column] - 1];
      auto wordAt = [](llvm::StringRef text, unsigned at) {
        return text.drop_front(at - 1).take_until(
            [](char c) { return c == ' ' || c == '\t'; });
      };
      unsigned at = cellColumns[row * count + column];
      return fail(rowLines[row], at,
                  formatv("expected {0} for {1} and {2} as in line {3}, but "
                          "got {4}",
                          wordAt(other, cellColumns[column * count + row]),
                          matrix.deviceList[row].label,
                          matrix.deviceList[column].label, rowLines[column],
                          wordAt(line, at)));
    }
  }
  return llvm::Error::success();
}

void TopoMatrixReader::readLegend() {
  for (; next < lines.size(); ++next) {
    auto [label, name] = llvm::StringRef(lines[next]).split(':');
    for (MatrixDevice &device : matrix.deviceList) {
      if (!device.isGpu && device.label == label.trim()) {
        device.name = name.trim().str();
      }
    }
  }
}

llvm::Expected<TopoMatrix> TopoMatrixReader::read() {
  if (llvm::Error error = splitLines()) {
    return std::move(error);
  }
  if (llvm::Error error = readHeader()) {
    return std::move(error);
  }
  if (llvm::Error error = readRows()) {
    return std::move(error);
  }
  if (llvm::Error error = verifySymmetry()) {
    return std::move(error);
  }
  readLegend();
  return std::move(matrix);
}

llvm::Expected<TopoMatrix> TopoMatrix::parse(llvm::MemoryBufferRef file) {
  return TopoMatrixReader(file).read();
}

llvm::Expected<moe::planning::Topology>
moe::topology::readNvidiaSmiTopo(llvm::MemoryBufferRef file,
                                 const TopologyOptions &options) {
  llvm::Expected<TopoMatrix> matrix = TopoMatrix::parse(file);
  if (!matrix) {
    return matrix.takeError();
  }
  FilePlace place{file.getBufferIdentifier().str()};
  if (options.gpu.empty()) {
    return fileError(place, "the table does not say which GPUs these are (H100 "
                            "and B200 print the same): give --gpu=NAME");
  }
  llvm::Expected<GpuProduct> product = findGpuProduct(options.gpu);
  if (!product) {
    return fileError(place, llvm::toString(product.takeError()));
  }
  NodeAssembly node(file.getBufferIdentifier(), options);
  if (llvm::Error error =
          makeNode(*matrix, *product, node, file.getBufferIdentifier())) {
    return std::move(error);
  }
  return node.finish();
}
