// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "NumpyHeader.h"
#include "moe/Formats/QuotedText.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/raw_ostream.h"

#include <set>

using namespace moe::formats;

static constexpr llvm::StringLiteral magic("\x93NUMPY");

namespace {
struct TypeRow {
  llvm::StringLiteral name;
  llvm::StringLiteral descr;
  unsigned bytes;
};

/// Reads the dictionary, which NumPy writes with Python's repr.
class DictionaryReader {
public:
  explicit DictionaryReader(llvm::StringRef text) : text(text) {}
  llvm::Error read(NumpyHeader &header);

private:
  llvm::Error fail(const llvm::Twine &expected);
  llvm::Expected<llvm::StringRef> string();
  llvm::Error readMember(llvm::StringRef key, NumpyHeader &header);
  llvm::Error readType(NumpyHeader &header);
  llvm::Error readOrder();
  llvm::Error readShape(NumpyHeader &header);
  bool consume(llvm::StringRef token) {
    text = text.ltrim(" \t\n\r");
    return text.consume_front(token);
  }

  llvm::StringRef text;
};
} // namespace

// In the order of NumpyType.
static constexpr TypeRow typeTable[] = {{"float32", "<f4", 4},
                                        {"float64", "<f8", 8},
                                        {"int32", "<i4", 4},
                                        {"int64", "<i8", 8}};

llvm::StringRef moe::formats::name(NumpyType type) {
  return typeTable[static_cast<size_t>(type)].name;
}

unsigned moe::formats::byteWidth(NumpyType type) {
  return typeTable[static_cast<size_t>(type)].bytes;
}

std::optional<int64_t>
moe::formats::elementCount(llvm::ArrayRef<int64_t> shape) {
  std::optional<int64_t> count = 1;
  for (int64_t extent : shape) {
    count = count ? llvm::checkedMul(*count, extent) : count;
  }
  return count;
}

llvm::Error DictionaryReader::fail(const llvm::Twine &expected) {

  return llvm::createStringError("expected " + expected +
                                 " in the header, but got " +
                                 quoted(text.take_front(16)));
}

llvm::Expected<llvm::StringRef> DictionaryReader::string() {
  text = text.ltrim(" \t\n\r");
  char quote = text.empty() ? '\0' : text.front();
  size_t end = quote == '\'' || quote == '"' ? text.find(quote, 1)
                                             : llvm::StringRef::npos;
  if (end == llvm::StringRef::npos) {
    return fail("a string");
  }
  llvm::StringRef result = text.slice(1, end);
  text = text.drop_front(end + 1);
  return result;
}

llvm::Error DictionaryReader::readType(NumpyHeader &header) {
  llvm::Expected<llvm::StringRef> descr = string();
  if (!descr) {
    return descr.takeError();
  }
  const TypeRow *row = llvm::find_if(
      typeTable, [&](const TypeRow &row) { return row.descr == *descr; });
  if (row == std::end(typeTable)) {
    return llvm::createStringError("expected dtype '<f4', '<f8', '<i4' or "
                                   "'<i8', but got " +
                                   quoted(*descr));
  }
  header.type = static_cast<NumpyType>(row - std::begin(typeTable));
  return llvm::Error::success();
}

llvm::Error DictionaryReader::readOrder() {
  if (consume("True")) {
    return llvm::createStringError(
        "expected C order (numpy.ascontiguousarray makes it), but got "
        "Fortran order");
  }
  return consume("False") ? llvm::Error::success() : fail("True or False");
}

llvm::Error DictionaryReader::readShape(NumpyHeader &header) {
  if (!consume("(")) {
    return fail("a tuple");
  }
  while (!consume(")")) {
    llvm::StringRef digits =
        text.take_while([](char symbol) { return llvm::isDigit(symbol); });
    int64_t extent = 0;
    if (digits.getAsInteger(10, extent)) {
      return fail("an extent");
    }
    header.shape.push_back(extent);
    text = text.drop_front(digits.size());
    bool more = consume(",");
    text = text.ltrim(" \t\n\r");
    if (!text.starts_with(")") && !more) {
      return fail("',' or ')'");
    }
  }
  return llvm::Error::success();
}

llvm::Error DictionaryReader::readMember(llvm::StringRef key,
                                         NumpyHeader &header) {
  if (key == "descr") {
    return readType(header);
  }
  if (key == "fortran_order") {
    return readOrder();
  }
  if (key == "shape") {
    return readShape(header);
  }
  return llvm::createStringError("expected the key 'descr', 'fortran_order' or "
                                 "'shape', but got " +
                                 quoted(key));
}

llvm::Error DictionaryReader::read(NumpyHeader &header) {
  if (!consume("{")) {
    return fail("a dictionary");
  }
  std::set<llvm::StringRef> keys;
  while (!consume("}")) {
    llvm::Expected<llvm::StringRef> key = string();
    if (!key) {
      return key.takeError();
    }
    if (!keys.insert(*key).second) {
      return llvm::createStringError("expected each key once, but got " +
                                     quoted(*key) + " twice");
    }
    if (!consume(":")) {
      return fail("':'");
    }
    if (llvm::Error error = readMember(*key, header)) {
      return error;
    }
    bool more = consume(",");
    text = text.ltrim(" \t\n\r");
    if (!text.starts_with("}") && !more) {
      return fail("',' or '}'");
    }
  }
  if (keys.size() != 3) {
    return llvm::createStringError("expected the keys 'descr', 'fortran_order' "
                                   "and 'shape', but got " +
                                   llvm::Twine(keys.size()) + " of them");
  }
  text = text.ltrim(" \t\n\r");
  return text.empty() ? llvm::Error::success() : fail("nothing more");
}

llvm::Expected<NumpyHeader>
moe::formats::parseNumpyHeader(llvm::StringRef image) {
  if (!image.starts_with(magic) || image.size() < 12) {
    return llvm::createStringError("expected a NumPy file, but got other "
                                   "bytes at its beginning");
  }
  unsigned version = static_cast<unsigned char>(image[6]);
  if (version < 1 || version > 3) {
    return llvm::createStringError("expected format version 1, 2 or 3, but "
                                   "got " +
                                   llvm::Twine(version));
  }
  size_t begin = version == 1 ? 10 : 12;
  size_t length = version == 1
                      ? llvm::support::endian::read16le(image.data() + 8)
                      : llvm::support::endian::read32le(image.data() + 8);
  if (length > image.size() - begin) {
    return llvm::createStringError("expected a header of at most " +
                                   llvm::Twine(image.size() - begin) +
                                   " bytes, but got " + llvm::Twine(length));
  }
  NumpyHeader header;
  header.dataOffset = begin + length;
  if (llvm::Error error =
          DictionaryReader(image.substr(begin, length)).read(header)) {
    return std::move(error);
  }
  return header;
}

std::string moe::formats::makeNumpyHeader(NumpyType type,
                                          llvm::ArrayRef<int64_t> shape) {
  std::string dictionary;
  llvm::raw_string_ostream stream(dictionary);
  stream << "{'descr': '" << typeTable[static_cast<size_t>(type)].descr
         << "', 'fortran_order': False, 'shape': (";
  llvm::interleaveComma(shape, stream);
  stream << (shape.size() == 1 ? ",), }" : "), }");
  size_t unpadded = 10 + dictionary.size() + 1;
  dictionary.append((64 - unpadded % 64) % 64, ' ');
  dictionary += '\n';
  assert(dictionary.size() < 65536 && "a shape for a version 2 header");
  std::string result = magic.str();
  result += '\1';
  result += '\0';
  result += static_cast<char>(dictionary.size() & 0xFF);
  result += static_cast<char>(dictionary.size() >> 8);
  return result + dictionary;
}
