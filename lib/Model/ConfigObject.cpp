//===- ConfigObject.cpp - Typed reading of a config.json ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Model/ConfigObject.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>

using namespace moe::model;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;
using JSONValue = llvm::json::Value;

char ConfigError::ID = 0;

void ConfigError::log(llvm::raw_ostream &os) const {
  os << file << ':' << position.line << ':' << position.column
     << ": error: " << text;
}

std::error_code ConfigError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

static Error errorAt(StringRef file, TextPosition position,
                     const Twine &message) {
  return llvm::make_error<ConfigError>(file, position, message.str());
}

// Turns "[3:5, byte=47]: Expected …" into a position and "expected …".
static Error makeParseError(Error error, StringRef file) {
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
  return errorAt(file, position, "malformed JSON: " + lower);
}

Expected<ConfigObject> ConfigObject::parse(StringRef text, StringRef file) {
  // Some editors begin UTF-8 with a mark, which is no JSON.
  text.consume_front("\xEF\xBB\xBF");
  JSONKeys keys(text);
  if (keys.isTooDeep()) {
    return errorAt(file, {},
                   "malformed JSON: expected at most " +
                       Twine(JSONKeys::maximalDepth) + " levels of nesting");
  }
  Expected<JSONValue> root = llvm::json::parse(text);
  if (!root) {
    return makeParseError(root.takeError(), file);
  }
  if (const std::optional<JSONKeys::Duplicate> &twice = keys.getDuplicate()) {
    return errorAt(file, twice->position,
                   "key \"" + twice->path +
                       "\": expected once, but got it twice");
  }
  auto shared = std::make_shared<const File>(
      File{std::move(*root), std::move(keys), file.str()});
  const llvm::json::Object *object = shared->root.getAsObject();
  if (!object) {
    return errorAt(file, {},
                   "expected a JSON object, but got " +
                       llvm::formatv("{0}", shared->root).str());
  }
  return ConfigObject(std::move(shared), object, "");
}

TextPosition ConfigObject::getPosition(StringRef key) const {
  return file->keys.getPosition(getPath(key));
}

Error ConfigObject::makeError(StringRef key, const Twine &message) const {
  return errorAt(file->name, getPosition(key),
                 "key \"" + getPath(key) + "\": " + message);
}

bool ConfigObject::has(StringRef key) const {
  const JSONValue *value = object->get(key);
  return value && !value->getAsNull();
}

Expected<const JSONValue *> ConfigObject::find(StringRef key) const {
  if (const JSONValue *value = object->get(key)) {
    return value;
  }
  return errorAt(file->name, getPosition(key),
                 "missing key \"" + getPath(key) + "\"");
}

Error ConfigObject::makeMismatch(StringRef key, const Twine &expected,
                                 const JSONValue &got) const {
  std::string text = llvm::formatv("{0}", got).str();
  constexpr size_t longest = 60;
  if (text.size() > longest) {
    text = text.substr(0, longest) + "…";
  }
  return makeError(key, "expected " + expected + ", but got " + text);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Expected<int64_t> ConfigObject::getInteger(StringRef key,
                                           int64_t minimum) const {
  Expected<const JSONValue *> value = find(key);
  if (!value) {
    return value.takeError();
  }
  // More is no model, and products of four such numbers still fit 64 bits.
  constexpr int64_t maximum = 1 << 18;
  std::optional<int64_t> integer = (*value)->getAsInteger();
  if (!integer || *integer < minimum || *integer > maximum) {
    return makeMismatch(
        key, "an integer from " + Twine(minimum) + " to " + Twine(maximum),
        **value);
  }
  return *integer;
}

Expected<int64_t> ConfigObject::getIntegerOr(StringRef key, int64_t otherwise,
                                             int64_t minimum) const {
  return get(key) ? getInteger(key, minimum) : Expected<int64_t>(otherwise);
}

Expected<int64_t> ConfigObject::getIntegerOrNull(StringRef key) const {
  const JSONValue *value = object->get(key);
  return value && value->getAsNull() ? Expected<int64_t>(0)
                                     : getInteger(key, 0);
}

Expected<double> ConfigObject::getPositiveNumber(StringRef key) const {
  Expected<const JSONValue *> value = find(key);
  if (!value) {
    return value.takeError();
  }
  std::optional<double> number = (*value)->getAsNumber();
  // Programs compute with f32.
  if (!number || *number > std::numeric_limits<float>::max() ||
      !(static_cast<float>(*number) > 0)) {
    return makeMismatch(key, "a positive number in the range of f32", **value);
  }
  return *number;
}

Expected<double> ConfigObject::getPositiveNumberOr(StringRef key,
                                                   double otherwise) const {
  return get(key) ? getPositiveNumber(key) : Expected<double>(otherwise);
}

Expected<bool> ConfigObject::getFlag(StringRef key) const {
  Expected<const JSONValue *> value = find(key);
  if (!value) {
    return value.takeError();
  }
  if (std::optional<bool> flag = (*value)->getAsBoolean()) {
    return *flag;
  }
  return makeMismatch(key, "true or false", **value);
}

Expected<bool> ConfigObject::getFlagOr(StringRef key, bool otherwise) const {
  return get(key) ? getFlag(key) : Expected<bool>(otherwise);
}

Expected<StringRef> ConfigObject::getString(StringRef key) const {
  Expected<const JSONValue *> value = find(key);
  if (!value) {
    return value.takeError();
  }
  if (std::optional<StringRef> string = (*value)->getAsString()) {
    return *string;
  }
  return makeMismatch(key, "a string", **value);
}

std::string moe::model::quotedAlternatives(ArrayRef<StringRef> names) {
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

Expected<StringRef> ConfigObject::getChoice(StringRef key,
                                            ArrayRef<StringRef> known) const {
  Expected<const JSONValue *> value = find(key);
  if (!value) {
    return value.takeError();
  }
  std::optional<StringRef> string = (*value)->getAsString();
  if (!string || !llvm::is_contained(known, *string)) {
    return makeMismatch(key, quotedAlternatives(known), **value);
  }
  return *string;
}

Expected<StringRef> ConfigObject::getChoiceOr(StringRef key,
                                              ArrayRef<StringRef> known,
                                              StringRef otherwise) const {
  return get(key) ? getChoice(key, known) : Expected<StringRef>(otherwise);
}

Expected<std::vector<int64_t>>
ConfigObject::getIntegers(StringRef key, int64_t minimum) const {
  std::vector<int64_t> integers;
  if (!has(key)) {
    return integers;
  }
  const JSONValue &value = *object->get(key);
  const llvm::json::Array *array = value.getAsArray();
  std::string expected =
      llvm::formatv("a list of integers of at least {0}", minimum);
  if (!array) {
    return makeMismatch(key, expected, value);
  }
  for (const JSONValue &element : *array) {
    std::optional<int64_t> integer = element.getAsInteger();
    if (!integer || *integer < minimum) {
      return makeMismatch(key, expected, value);
    }
    integers.push_back(*integer);
  }
  return integers;
}

Expected<std::vector<std::string>>
ConfigObject::getStrings(StringRef key) const {
  std::vector<std::string> strings;
  if (!has(key)) {
    return strings;
  }
  const JSONValue &value = *object->get(key);
  const llvm::json::Array *array = value.getAsArray();
  if (!array) {
    return makeMismatch(key, "a list of strings", value);
  }
  for (const JSONValue &element : *array) {
    std::optional<StringRef> string = element.getAsString();
    if (!string) {
      return makeMismatch(key, "a list of strings", value);
    }
    strings.push_back(string->str());
  }
  return strings;
}

Expected<ConfigObject> ConfigObject::getObject(StringRef key) const {
  Expected<const JSONValue *> value = find(key);
  if (!value) {
    return value.takeError();
  }
  if (const llvm::json::Object *inner = (*value)->getAsObject()) {
    return ConfigObject(file, inner, getPath(key) + ".");
  }
  return makeMismatch(key, "an object", **value);
}
