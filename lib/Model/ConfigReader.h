//===- ConfigReader.h - Reads many keys, fails once -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading a model means dozens of keys. This reader keeps the first error and
// goes on with harmless values (1, false, nothing), so that callers read on and
// ask for the error at the end. Keys may lie inside: `ffn_config.moe_top_k`.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_MODEL_CONFIGREADER_H
#define MOE_LIB_MODEL_CONFIGREADER_H

#include "moe/Model/ConfigObject.h"
#include <optional>

namespace moe::model {

/// A flag, or a constant where the key is empty.
struct FlagRule {
  std::string key;
  bool otherwise = false;
};

class ConfigReader {
public:
  explicit ConfigReader(ConfigObject config) : config(std::move(config)) {}
  ~ConfigReader() { llvm::consumeError(std::move(error)); }
  ConfigReader(const ConfigReader &) = delete;
  ConfigReader &operator=(const ConfigReader &) = delete;

  bool has(llvm::StringRef key);
  int64_t integer(llvm::StringRef key, int64_t minimum = 1);
  int64_t integerOr(llvm::StringRef key, int64_t otherwise,
                    int64_t minimum = 1);
  /// 0 for an explicit null.
  int64_t integerOrNull(llvm::StringRef key);
  bool flag(const FlagRule &rule);
  llvm::StringRef choiceOr(llvm::StringRef key,
                           llvm::ArrayRef<llvm::StringRef> known,
                           llvm::StringRef otherwise);
  std::vector<int64_t> integers(llvm::StringRef key, int64_t minimum);
  std::vector<std::string> strings(llvm::StringRef key);

  /// Records an error about `key`, unless there is one already.
  void fail(llvm::StringRef key, const llvm::Twine &message);
  void fail(llvm::Error other);

  /// The first error; success if there was none.
  llvm::Error takeError();

private:
  struct Place {
    ConfigObject object;
    llvm::StringRef key;
  };

  /// Where a key that may lie inside is; none if its object is not there.
  std::optional<Place> find(llvm::StringRef key);
  template <typename T> T keep(llvm::Expected<T> value, T otherwise);

  ConfigObject config;
  llvm::Error error = llvm::Error::success();
};

} // namespace moe::model

#endif // MOE_LIB_MODEL_CONFIGREADER_H
