// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DamagedBundleTest.cpp - Bundles that somebody has changed ----------===//
//
// Whatever stands in a bundle, it is refused in one line of UTF-8 that begins
// with the file, or it computes what it did before. Sums are those of what was
// changed, so that nothing is found by them.
//
//===----------------------------------------------------------------------===//

#include "../TemporaryFolder.h"

#include "moe/Bundle/BundleSource.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

using namespace moe::bundle;
using namespace moe::runner;

using Members = std::map<std::string, std::string>;

static std::string readFile(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  EXPECT_TRUE(file) << path;
  return file ? (*file)->getBuffer().str() : "";
}

static Members membersOf(llvm::StringRef bytes) {
  auto archive = llvm::cantFail(
      llvm::object::Archive::create(llvm::MemoryBufferRef(bytes, "bundle")));
  Members members;
  llvm::Error walk = llvm::Error::success();
  for (const llvm::object::Archive::Child &child : archive->children(walk)) {
    members[llvm::cantFail(child.getName()).str()] =
        llvm::cantFail(child.getBuffer()).str();
  }
  llvm::cantFail(std::move(walk));
  members.erase("SHA256SUMS");
  return members;
}

/// The archive of these members, with their sums.
static std::string archiveOf(const Members &members) {
  std::string sums;
  for (const auto &[name, bytes] : members) {
    auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(bytes));
    sums += llvm::toHex(hash, /*LowerCase=*/true) + "  " + name + "\n";
  }
  std::vector<llvm::NewArchiveMember> written;
  for (const auto &[name, bytes] : members) {
    written.emplace_back(llvm::MemoryBufferRef(bytes, name));
  }
  written.emplace_back(llvm::MemoryBufferRef(sums, "SHA256SUMS"));
  auto archive = llvm::cantFail(llvm::writeArchiveToBuffer(
      written, llvm::SymtabWritingMode::NoSymtab, llvm::object::Archive::K_GNU,
      /*Deterministic=*/true, /*Thin=*/false));
  return archive->getBuffer().str();
}

namespace {
class DamagedBundle : public testing::Test {
protected:
  void SetUp() override {
    whole = readFile(MOE_TEST_BUNDLE);
    members = membersOf(whole);
    expected = runFile(whole);
    ASSERT_TRUE(expected) << error;
  }

  /// What a bundle of these bytes computes; none, and `error`, where it is
  /// refused.
  std::optional<ProgramResult> runFile(llvm::StringRef bytes) {
    path = folder.write("changed.moe", bytes);
    SessionOptions options;
    options.modulePath = path;
    llvm::Expected<ProgramResult> result = open(options);
    if (result) {
      return std::move(*result);
    }
    error = llvm::toString(result.takeError());
    return std::nullopt;
  }

  /// Whether a changed bundle is refused as it must be.
  bool expectRefused(llvm::StringRef bytes, const std::string &what) {
    std::optional<ProgramResult> result = runFile(bytes);
    EXPECT_FALSE(result) << what;
    expectLine(what);
    return !result;
  }
  /// Whether it is refused; else it must compute the same.
  bool expectHarmless(llvm::StringRef bytes, const std::string &what) {
    std::optional<ProgramResult> result = runFile(bytes);
    if (!result) {
      expectLine(what);
      return true;
    }
    EXPECT_FALSE(compareResults(*expected, *result)) << what;
    return false;
  }

  std::string whole;
  Members members;

private:
  static llvm::Expected<ProgramResult> open(const SessionOptions &options) {
    llvm::Expected<std::unique_ptr<BundleSource>> source =
        BundleSource::open(options);
    if (!source) {
      return source.takeError();
    }
    llvm::Expected<std::unique_ptr<Session>> session =
        Session::create(std::move(*source), options);
    if (!session) {
      return session.takeError();
    }
    llvm::Expected<ProgramInput> input = (*session)->randomInput(5);
    if (!input) {
      return input.takeError();
    }
    llvm::Expected<ProgramRun> run = (*session)->run(*input);
    if (!run) {
      return run.takeError();
    }
    return std::move(run->result);
  }
  void expectLine(const std::string &what) const {
    EXPECT_TRUE(llvm::StringRef(error).starts_with(path + ": "))
        << what << ": " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << what << ": " << error;
    EXPECT_TRUE(llvm::json::isUTF8(error)) << what;
  }

  moe::test::TemporaryFolder folder;
  std::string path;
  std::string error;
  std::optional<ProgramResult> expected;
};

/// Calls `visit` with the manifest in which one value is another.
class ManifestMutator {
public:
  using Visit = std::function<void(const llvm::json::Value &manifest,
                                   const std::string &what)>;

  ManifestMutator(llvm::json::Value manifest, Visit visit)
      : manifest(std::move(manifest)), visit(std::move(visit)) {}

  void run() { walk(manifest, ""); }

private:
  void walk(llvm::json::Value &value, const std::string &at) {
    if (llvm::json::Object *object = value.getAsObject()) {
      std::vector<std::string> keys;
      for (const auto &[key, held] : *object) {
        keys.push_back(key.str());
      }
      llvm::sort(keys);
      for (const std::string &key : keys) {
        llvm::json::Value kept = *object->get(key);
        object->erase(key);
        std::string place = llvm::formatv("{0}.{1}", at, key);
        visit(manifest, place + " is gone");
        object->try_emplace(key, std::move(kept));
        replace(*object->get(key), place);
      }
    } else if (llvm::json::Array *array = value.getAsArray()) {
      // The first and the last entry speak for those between.
      for (size_t index : {size_t(0), array->size() - 1}) {
        if (index >= array->size() || (index == 0 && array->size() == 1)) {
          continue;
        }
        replace((*array)[index], at + "[" + std::to_string(index) + "]");
      }
      if (array->size() == 1) {
        replace(array->front(), at + "[0]");
      }
      if (!array->empty()) {
        llvm::json::Value last = array->back();
        array->push_back(last);
        visit(manifest, at + " has its last entry twice");
        array->pop_back();
        array->pop_back();
        visit(manifest, at + " lacks its last entry");
        array->push_back(std::move(last));
      }
    }
  }

  void replace(llvm::json::Value &value, const std::string &at) {
    llvm::json::Value kept = value;
    const llvm::json::Value others[] = {nullptr,
                                        true,
                                        0,
                                        -1,
                                        3,
                                        int64_t(1) << 40,
                                        0.5,
                                        "",
                                        "x",
                                        llvm::json::Array(),
                                        llvm::json::Object()};
    for (const llvm::json::Value &other : others) {
      if (other == kept) {
        continue;
      }
      value = other;
      visit(manifest, llvm::formatv("{0} is {1}", at, other).str());
    }
    value = std::move(kept);
    walk(value, at);
  }

  llvm::json::Value manifest;
  Visit visit;
};
} // namespace

TEST_F(DamagedBundle, IsRefusedForEveryFieldThatMatters) {
  size_t refused = 0, harmless = 0;
  ManifestMutator mutator(
      llvm::cantFail(llvm::json::parse(members["manifest.json"])),
      [&](const llvm::json::Value &manifest, const std::string &what) {
        Members changed = members;
        changed["manifest.json"] = llvm::formatv("{0}", manifest).str();
        ++(expectHarmless(archiveOf(changed), what) ? refused : harmless);
      });
  mutator.run();
  llvm::outs() << refused << " manifests refused, " << harmless
               << " compute the same\n";
  EXPECT_GT(refused, 1000u);
  // Who chose a placement, and what ranks need, are words.
  EXPECT_LT(harmless, 100u);
}

TEST_F(DamagedBundle, IsRefusedWithTheCodeOfAnother) {
  Members changed = members;
  std::swap(changed["program.o"], changed["plan.json"]);
  expectRefused(archiveOf(changed), "a report for code");
  changed = members;
  changed["program.o"].resize(changed["program.o"].size() / 2);
  expectRefused(archiveOf(changed), "half an object");
  changed = members;
  size_t stamp = changed["reference.o"].find("moe_stamp");
  ASSERT_NE(stamp, std::string::npos);
  changed["reference.o"][stamp] = 'M';
  expectRefused(archiveOf(changed), "an object without a stamp");
  changed = members;
  changed.erase("reference.o");
  expectRefused(archiveOf(changed), "no reference");
}

TEST_F(DamagedBundle, IsRefusedForEveryByteOfItsHeaders) {
  size_t headers = 0;
  for (size_t at = 8; at + 60 <= whole.size(); ++headers) {
    for (size_t byte = at; byte < at + 60; ++byte) {
      for (char other : {char(whole[byte] ^ 1), '9', '\xff', '\n', '\0'}) {
        std::string changed = whole;
        changed[byte] = other;
        // Times and owners are nobody's concern.
        if (changed != whole) {
          expectHarmless(changed, "byte " + std::to_string(byte));
        }
      }
    }
    size_t size = std::stoul(whole.substr(at + 48, 10));
    at += 60 + size + size % 2;
  }
  EXPECT_EQ(headers, members.size() + 1);
  expectRefused(whole + whole, "twice");
  expectRefused(whole + whole.substr(8), "all members twice");
  expectRefused(whole + "more", "more than it holds");
}

TEST_F(DamagedBundle, IsRefusedInUTF8) {
  std::string &text = members["manifest.json"];
  for (llvm::StringRef key : {"\"packing\": \"", "\"entry\": \"",
                              "\"triple\": \"", "\"project\": \""}) {
    Members changed = members;
    size_t at = text.find(key.str());
    ASSERT_NE(at, std::string::npos) << key.str();
    changed["manifest.json"].insert(at + key.size(), "\xff\xfe\n");
    expectRefused(archiveOf(changed), key.str());
    changed = members;
    changed["manifest.json"].insert(at + key.size(), "\\ud800\\n\\u0000");
    expectRefused(archiveOf(changed), key.str());
  }
  Members changed = members;
  changed["\xff\n.o"] = "x";
  expectHarmless(archiveOf(changed), "a member that nobody knows");
}
