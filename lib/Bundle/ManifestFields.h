// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One list of fields for both ways. A struct that a manifest holds has
//
//   template <typename Fields> void describe(Fields &fields, Struct &value)
//
// which names each member once; FieldWriter makes a JSON object of it and
// FieldReader fills it from one, saying in which place what is wrong.
#ifndef MOE_LIB_BUNDLE_MANIFESTFIELDS_H
#define MOE_LIB_BUNDLE_MANIFESTFIELDS_H

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <map>
#include <optional>
#include <type_traits>

namespace moe::bundle {

/// The name of each value of an enumeration.
template <typename T> struct EnumName {
  T value;
  llvm::StringLiteral name;
};

/// What is one string: `format` makes it, `parse` reads it. `blank` is
/// something to read into.
template <typename T> struct TextForm;
template <typename T, typename = void> struct HasTextForm : std::false_type {};
template <typename T>
struct HasTextForm<T, std::void_t<decltype(TextForm<T>::blank())>>
    : std::true_type {};

class FieldWriter {
public:
  template <typename T> void field(llvm::StringRef key, const T &value) {
    object[key] = toJson(value);
  }
  /// A list that is written only where it has entries.
  template <typename T> void optionalList(llvm::StringRef key, const T &value) {
    if (!value.empty()) {
      field(key, value);
    }
  }
  template <typename T>
  void choice(llvm::StringRef key, const T &value,
              llvm::ArrayRef<EnumName<T>> names) {
    for (const EnumName<T> &entry : names) {
      if (entry.value == value) {
        object[key] = entry.name;
      }
    }
  }
  llvm::json::Object take() { return std::move(object); }

  template <typename T> static llvm::json::Value toJson(const T &value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return value;
    } else if constexpr (HasTextForm<T>::value) {
      return TextForm<T>::format(value);
    } else {
      return structure(value);
    }
  }
  template <typename T>
  static llvm::json::Value toJson(const std::vector<T> &values) {
    return list(values);
  }
  template <typename T, unsigned count>
  static llvm::json::Value toJson(const llvm::SmallVector<T, count> &values) {
    return list(values);
  }
  template <typename T>
  static llvm::json::Value toJson(const std::map<std::string, T> &values) {
    llvm::json::Object entries;
    for (const auto &[key, value] : values) {
      entries[key] = toJson(value);
    }
    return entries;
  }
  template <typename T>
  static llvm::json::Value toJson(const std::optional<T> &value) {
    return value ? toJson(*value) : llvm::json::Value(nullptr);
  }

private:
  template <typename List> static llvm::json::Value list(const List &values) {
    llvm::json::Array array;
    for (const auto &value : values) {
      array.push_back(toJson(value));
    }
    return array;
  }
  template <typename T> static llvm::json::Value structure(const T &value) {
    FieldWriter writer;
    // Describing serves both ways; a writer changes nothing.
    describe(writer, const_cast<T &>(value));
    return writer.take();
  }

  llvm::json::Object object;
};

class FieldReader {
public:
  /// `problem` receives the first thing that is wrong, with its place; `where`
  /// is the place of the object, such as "layout.handles[3]".
  FieldReader(const llvm::json::Object &object, std::string where,
              std::string &problem)
      : object(object), where(std::move(where)), problem(problem) {}

  template <typename T> void field(llvm::StringRef key, T &value) {
    const llvm::json::Value *found = object.get(key);
    if (!found) {
      fail(place(key), "expected a value, but got none");
      return;
    }
    read(*found, value, place(key));
  }
  /// A list that has no entries where it is missing.
  template <typename T> void optionalList(llvm::StringRef key, T &value) {
    if (object.get(key)) {
      field(key, value);
    }
  }
  template <typename T>
  void choice(llvm::StringRef key, T &value,
              llvm::ArrayRef<EnumName<T>> names) {
    std::string name;
    field(key, name);
    for (const EnumName<T> &entry : names) {
      if (entry.name == name) {
        value = entry.value;
        return;
      }
    }
    fail(place(key), "expected a known name, but got '" + name + "'");
  }
  template <typename T>
  void read(const llvm::json::Value &json, T &value, const std::string &at) {
    if constexpr (std::is_same_v<T, bool>) {
      take(json.getAsBoolean(), value, at, "true or false");
    } else if constexpr (std::is_integral_v<T>) {
      take(json.getAsInteger(), value, at, "a whole number");
    } else if constexpr (std::is_floating_point_v<T>) {
      take(json.getAsNumber(), value, at, "a number");
    } else if constexpr (std::is_same_v<T, std::string>) {
      take(json.getAsString(), value, at, "a string");
    } else if constexpr (HasTextForm<T>::value) {
      std::string text;
      read(json, text, at);
      if (!TextForm<T>::parse(text, value)) {
        fail(at, TextForm<T>::expected + ", but got '" + text + "'");
      }
    } else if (const llvm::json::Object *fields = json.getAsObject()) {
      FieldReader reader(*fields, at, problem);
      describe(reader, value);
    } else {
      fail(at, "expected an object");
    }
  }
  template <typename T>
  void read(const llvm::json::Value &json, std::vector<T> &values,
            const std::string &at) {
    readList<T>(json, values, at);
  }
  template <typename T, unsigned count>
  void read(const llvm::json::Value &json, llvm::SmallVector<T, count> &values,
            const std::string &at) {
    readList<T>(json, values, at);
  }
  template <typename T>
  void read(const llvm::json::Value &json, std::map<std::string, T> &values,
            const std::string &at) {
    const llvm::json::Object *entries = json.getAsObject();
    if (!entries) {
      fail(at, "expected an object");
      return;
    }
    for (const auto &[key, value] : *entries) {
      read(value, values[key.str()], at + "." + key.str());
    }
  }
  template <typename T>
  void read(const llvm::json::Value &json, std::optional<T> &value,
            const std::string &at) {
    if (json.getAsNull()) {
      return;
    }
    value.emplace();
    read(json, *value, at);
  }

private:
  template <typename T, typename List>
  void readList(const llvm::json::Value &json, List &values,
                const std::string &at) {
    const llvm::json::Array *array = json.getAsArray();
    if (!array) {
      fail(at, "expected an array");
      return;
    }
    for (const llvm::json::Value &element : *array) {
      std::string index = "[" + std::to_string(values.size()) + "]";
      if constexpr (HasTextForm<T>::value) {
        values.push_back(TextForm<T>::blank());
      } else {
        values.emplace_back();
      }
      read(element, values.back(), at + index);
    }
  }
  template <typename From, typename To>
  void take(std::optional<From> found, To &value, const std::string &at,
            llvm::StringRef expected) {
    if (found) {
      value = To(*found);
    } else {
      fail(at, "expected " + expected);
    }
  }
  std::string place(llvm::StringRef key) const {
    return (where.empty() ? key : where + "." + key).str();
  }
  void fail(const std::string &at, const llvm::Twine &what) {
    if (problem.empty()) {
      problem = (at + ": " + what).str();
    }
  }

  const llvm::json::Object &object;
  std::string where;
  std::string &problem;
};

} // namespace moe::bundle

#endif // MOE_LIB_BUNDLE_MANIFESTFIELDS_H
