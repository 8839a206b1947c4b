// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Config.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace mlir::moe;
using JSONValue = llvm::json::Value;

static Location at(MLIRContext *context, StringRef file,
                   TextPosition position) {
  return FileLineColLoc::get(context, file, position.line, position.column);
}

// Turns "[3:5, byte=47]: Expected …" into a position and "expected …".
static LogicalResult emitParseError(llvm::Error error, StringRef file,
                                    MLIRContext *context) {
  std::string text = llvm::toString(std::move(error));
  StringRef message = text;
  TextPosition position;
  if (message.consume_front("[")) {
    message.consumeInteger(10, position.line);
    message.consume_front(":");
    message.consumeInteger(10, position.column);
    message = message.split("]: ").second;
  }
  std::string lower = message.str();
  if (!lower.empty()) {
    lower.front() = llvm::toLower(lower.front());
  }
  return mlir::emitError(at(context, file, position))
         << "malformed JSON: " << lower;
}

FailureOr<Config> Config::parse(StringRef text, StringRef file,
                                MLIRContext *context) {
  JSONKeys keys(text);
  if (keys.isTooDeep()) {
    return mlir::emitError(at(context, file, {}))
           << "malformed JSON: expected at most " << JSONKeys::maximalDepth
           << " levels of nesting";
  }
  llvm::Expected<JSONValue> root = llvm::json::parse(text);
  if (!root) {
    return emitParseError(root.takeError(), file, context);
  }
  if (const std::optional<JSONKeys::Duplicate> &twice = keys.getDuplicate()) {
    return mlir::emitError(at(context, file, twice->position))
           << "key \"" << twice->path << "\": expected once, but got it twice";
  }
  auto shared = std::make_shared<const File>(
      File{std::move(*root), std::move(keys), file.str(), context});
  const llvm::json::Object *object = shared->root.getAsObject();
  if (!object) {
    return mlir::emitError(at(context, file, {}))
           << "expected a JSON object, but got "
           << llvm::formatv("{0}", shared->root).str();
  }
  return Config(std::move(shared), object, "");
}

Location Config::getLocation(StringRef key) const {
  return at(file->context, file->name,
            file->keys.getPosition((path + key).str()));
}

InFlightDiagnostic Config::emitError(StringRef key) const {
  return std::move(mlir::emitError(getLocation(key))
                   << "key \"" << path << key << "\": ");
}

bool Config::has(StringRef key) const {
  const JSONValue *value = object->get(key);
  return value && !value->getAsNull();
}

const JSONValue *Config::find(StringRef key) const {
  const JSONValue *value = object->get(key);
  if (!value) {
    mlir::emitError(getLocation(key)) << "missing key \"" << path << key << '"';
  }
  return value;
}

LogicalResult Config::emitMismatch(StringRef key, const Twine &expected,
                                   const JSONValue &got) const {
  std::string text = llvm::formatv("{0}", got).str();
  constexpr size_t longest = 60;
  if (text.size() > longest) {
    text = text.substr(0, longest) + "…";
  }
  return emitError(key) << "expected " << expected << ", but got " << text;
}

FailureOr<int64_t> Config::getInteger(StringRef key, int64_t minimum) const {
  const JSONValue *value = find(key);
  if (!value) {
    return failure();
  }
  // More is no model, and products of four such numbers still fit 64 bits.
  constexpr int64_t maximum = 1 << 18;
  std::optional<int64_t> integer = value->getAsInteger();
  if (!integer || *integer < minimum || *integer > maximum) {
    return emitMismatch(
        key, "an integer from " + Twine(minimum) + " to " + Twine(maximum),
        *value);
  }
  return *integer;
}

FailureOr<int64_t> Config::getIntegerOr(StringRef key, int64_t otherwise,
                                        int64_t minimum) const {
  return has(key) ? getInteger(key, minimum) : FailureOr<int64_t>(otherwise);
}

FailureOr<int64_t> Config::getIntegerOrNull(StringRef key) const {
  const JSONValue *value = object->get(key);
  return value && value->getAsNull() ? FailureOr<int64_t>(0)
                                     : getInteger(key, 0);
}

FailureOr<double> Config::getPositiveNumber(StringRef key) const {
  const JSONValue *value = find(key);
  if (!value) {
    return failure();
  }
  std::optional<double> number = value->getAsNumber();
  if (!number || !(*number > 0) || !std::isfinite(*number)) {
    return emitMismatch(key, "a positive number", *value);
  }
  return *number;
}

FailureOr<double> Config::getPositiveNumberOr(StringRef key,
                                              double otherwise) const {
  return has(key) ? getPositiveNumber(key) : FailureOr<double>(otherwise);
}

FailureOr<bool> Config::getFlag(StringRef key) const {
  const JSONValue *value = find(key);
  if (!value) {
    return failure();
  }
  if (std::optional<bool> flag = value->getAsBoolean()) {
    return *flag;
  }
  return emitMismatch(key, "true or false", *value);
}

FailureOr<bool> Config::getFlagOr(StringRef key, bool otherwise) const {
  return has(key) ? getFlag(key) : FailureOr<bool>(otherwise);
}

FailureOr<StringRef> Config::getString(StringRef key) const {
  const JSONValue *value = find(key);
  if (!value) {
    return failure();
  }
  if (std::optional<StringRef> string = value->getAsString()) {
    return *string;
  }
  return emitMismatch(key, "a string", *value);
}

std::string mlir::moe::quotedAlternatives(ArrayRef<StringRef> names) {
  std::string text;
  for (auto [index, name] : llvm::enumerate(names)) {
    if (index > 0) {
      text += index + 1 == names.size() ? " or " : ", ";
    }
    text += '"';
    text += name;
    text += '"';
  }
  return text;
}

FailureOr<StringRef> Config::getChoice(StringRef key,
                                       ArrayRef<StringRef> known) const {
  const JSONValue *value = find(key);
  if (!value) {
    return failure();
  }
  std::optional<StringRef> string = value->getAsString();
  if (!string || !llvm::is_contained(known, *string)) {
    return emitMismatch(key, quotedAlternatives(known), *value);
  }
  return *string;
}

FailureOr<StringRef> Config::getChoiceOr(StringRef key,
                                         ArrayRef<StringRef> known,
                                         StringRef otherwise) const {
  return has(key) ? getChoice(key, known) : FailureOr<StringRef>(otherwise);
}

FailureOr<SmallVector<int64_t>> Config::getIntegers(StringRef key,
                                                    int64_t minimum) const {
  SmallVector<int64_t> integers;
  if (!has(key)) {
    return integers;
  }
  const JSONValue &value = *object->get(key);
  const llvm::json::Array *array = value.getAsArray();
  std::string expected =
      llvm::formatv("a list of integers of at least {0}", minimum);
  if (!array) {
    return emitMismatch(key, expected, value);
  }
  for (const JSONValue &element : *array) {
    std::optional<int64_t> integer = element.getAsInteger();
    if (!integer || *integer < minimum) {
      return emitMismatch(key, expected, value);
    }
    integers.push_back(*integer);
  }
  return integers;
}

FailureOr<SmallVector<std::string>> Config::getStrings(StringRef key) const {
  SmallVector<std::string> strings;
  if (!has(key)) {
    return strings;
  }
  const JSONValue &value = *object->get(key);
  const llvm::json::Array *array = value.getAsArray();
  if (!array) {
    return emitMismatch(key, "a list of strings", value);
  }
  for (const JSONValue &element : *array) {
    std::optional<StringRef> string = element.getAsString();
    if (!string) {
      return emitMismatch(key, "a list of strings", value);
    }
    strings.push_back(string->str());
  }
  return strings;
}

FailureOr<Config> Config::getObject(StringRef key) const {
  const JSONValue *value = find(key);
  if (!value) {
    return failure();
  }
  if (const llvm::json::Object *inner = value->getAsObject()) {
    return Config(file, inner, path + key.str() + ".");
  }
  return emitMismatch(key, "an object", *value);
}
