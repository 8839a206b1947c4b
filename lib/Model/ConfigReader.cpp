//===- ConfigReader.cpp - Reads many keys, fails once ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConfigReader.h"

using namespace moe::model;
using llvm::StringRef;

void ConfigReader::fail(llvm::Error other) {
  if (error) {
    llvm::consumeError(std::move(other));
  } else {
    error = std::move(other);
  }
}

void ConfigReader::fail(StringRef key, const llvm::Twine &message) {
  if (std::optional<Place> place = find(key)) {
    fail(place->object.makeError(place->key, message));
  }
}

llvm::Error ConfigReader::takeError() {
  llvm::Error taken = std::move(error);
  error = llvm::Error::success();
  return taken;
}

std::optional<ConfigReader::Place> ConfigReader::find(StringRef key) {
  ConfigObject object = config;
  while (key.contains('.')) {
    auto [outer, inner] = key.split('.');
    llvm::Expected<ConfigObject> next = object.getObject(outer);
    if (!next) {
      fail(next.takeError());
      return std::nullopt;
    }
    object = *next;
    key = inner;
  }
  return Place{object, key};
}

template <typename T>
T ConfigReader::keep(llvm::Expected<T> value, T otherwise) {
  if (value) {
    return std::move(*value);
  }
  fail(value.takeError());
  return otherwise;
}

bool ConfigReader::has(StringRef key) {
  std::optional<Place> place = find(key);
  return place && place->object.has(place->key);
}

int64_t ConfigReader::integer(StringRef key, int64_t minimum) {
  std::optional<Place> place = find(key);
  return place ? keep<int64_t>(place->object.getInteger(place->key, minimum), 1)
               : 1;
}

int64_t ConfigReader::integerOr(StringRef key, int64_t otherwise,
                                int64_t minimum) {
  std::optional<Place> place = find(key);
  return place
             ? keep(place->object.getIntegerOr(place->key, otherwise, minimum),
                    otherwise)
             : otherwise;
}

int64_t ConfigReader::integerOrNull(StringRef key) {
  std::optional<Place> place = find(key);
  return place ? keep<int64_t>(place->object.getIntegerOrNull(place->key), 1)
               : 1;
}

bool ConfigReader::flag(const FlagRule &rule) {
  if (rule.key.empty()) {
    return rule.otherwise;
  }
  std::optional<Place> place = find(rule.key);
  return place &&
         keep(place->object.getFlagOr(place->key, rule.otherwise), false);
}

StringRef ConfigReader::choiceOr(StringRef key, llvm::ArrayRef<StringRef> known,
                                 StringRef otherwise) {
  std::optional<Place> place = find(key);
  return place ? keep(place->object.getChoiceOr(place->key, known, otherwise),
                      otherwise)
               : otherwise;
}

std::vector<int64_t> ConfigReader::integers(StringRef key, int64_t minimum) {
  std::optional<Place> place = find(key);
  return place ? keep(place->object.getIntegers(place->key, minimum), {})
               : std::vector<int64_t>();
}

std::vector<std::string> ConfigReader::strings(StringRef key) {
  std::optional<Place> place = find(key);
  return place ? keep(place->object.getStrings(place->key), {})
               : std::vector<std::string>();
}
