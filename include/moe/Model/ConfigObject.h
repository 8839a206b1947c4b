//===- ConfigObject.h - Typed reading of a config.json ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every getter says what is wrong and where its key stands, so that callers
// only pass errors on. The compiler's import and the planner's memory estimate
// read configurations through it.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_MODEL_CONFIGOBJECT_H
#define MOE_MODEL_CONFIGOBJECT_H

#include "moe/Model/JSONKeys.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <memory>
#include <vector>

namespace moe::model {

/// What is wrong with a configuration; reads as `config.json:3:5: error: …`.
class ConfigError : public llvm::ErrorInfo<ConfigError> {
public:
  static char ID;

  ConfigError(llvm::StringRef file, TextPosition position, std::string message)
      : file(file.str()), position(position), text(std::move(message)) {}

  TextPosition getPosition() const { return position; }
  const std::string &getText() const { return text; }

  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

private:
  std::string file;
  TextPosition position;
  std::string text;
};

/// An object of a JSON file: the file's own, or one inside of it. A null is an
/// error where a value is read; where it stands for "not given", callers ask
/// `has` first. Copies share the file; strings live as long as any of them.
class ConfigObject {
public:
  /// The object that is the whole of `text`, the contents of `file`.
  static llvm::Expected<ConfigObject> parse(llvm::StringRef text,
                                            llvm::StringRef file);

  /// Whether the key is there with another value than null.
  bool has(llvm::StringRef key) const;
  /// The value, which may be null; a null pointer where the key is absent.
  const llvm::json::Value *get(llvm::StringRef key) const {
    return object->get(key);
  }

  /// An integer of at least `minimum`.
  llvm::Expected<int64_t> getInteger(llvm::StringRef key,
                                     int64_t minimum = 1) const;
  llvm::Expected<int64_t> getIntegerOr(llvm::StringRef key, int64_t otherwise,
                                       int64_t minimum = 1) const;
  /// An integer of at least 0, or 0 for an explicit null.
  llvm::Expected<int64_t> getIntegerOrNull(llvm::StringRef key) const;
  llvm::Expected<double> getPositiveNumber(llvm::StringRef key) const;
  llvm::Expected<double> getPositiveNumberOr(llvm::StringRef key,
                                             double otherwise) const;
  llvm::Expected<bool> getFlag(llvm::StringRef key) const;
  llvm::Expected<bool> getFlagOr(llvm::StringRef key, bool otherwise) const;
  llvm::Expected<llvm::StringRef> getString(llvm::StringRef key) const;
  /// A string, one of `known`.
  llvm::Expected<llvm::StringRef>
  getChoice(llvm::StringRef key, llvm::ArrayRef<llvm::StringRef> known) const;
  llvm::Expected<llvm::StringRef>
  getChoiceOr(llvm::StringRef key, llvm::ArrayRef<llvm::StringRef> known,
              llvm::StringRef otherwise) const;
  /// Integers of at least `minimum`; none where the key is absent or null.
  llvm::Expected<std::vector<int64_t>> getIntegers(llvm::StringRef key,
                                                   int64_t minimum) const;
  /// Strings; none where the key is absent or null.
  llvm::Expected<std::vector<std::string>>
  getStrings(llvm::StringRef key) const;
  llvm::Expected<ConfigObject> getObject(llvm::StringRef key) const;

  /// An error about the value of `key`; names it.
  llvm::Error makeError(llvm::StringRef key, const llvm::Twine &message) const;
  /// That `key` holds `got` instead of `expected`.
  llvm::Error makeMismatch(llvm::StringRef key, const llvm::Twine &expected,
                           const llvm::json::Value &got) const;
  /// `outer.inner`, as errors call the key.
  std::string getPath(llvm::StringRef key) const { return path + key.str(); }
  TextPosition getPosition(llvm::StringRef key) const;
  llvm::StringRef getFile() const { return file->name; }

private:
  struct File {
    llvm::json::Value root;
    JSONKeys keys;
    std::string name;
  };

  ConfigObject(std::shared_ptr<const File> file,
               const llvm::json::Object *object, std::string path)
      : file(std::move(file)), object(object), path(std::move(path)) {}

  /// The value of `key`, or an error about its absence.
  llvm::Expected<const llvm::json::Value *> find(llvm::StringRef key) const;
  std::shared_ptr<const File> file;
  const llvm::json::Object *object;
  std::string path;
};

/// `"a", "b" or "c"`.
std::string quotedAlternatives(llvm::ArrayRef<llvm::StringRef> names);

} // namespace moe::model

#endif // MOE_MODEL_CONFIGOBJECT_H
