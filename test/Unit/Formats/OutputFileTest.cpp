// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Formats/OutputFile.h"
#include "../TemporaryFolder.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace moe::formats;
using namespace moe::test;
namespace fs = llvm::sys::fs;

static std::string read(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "no file";
}

static size_t filesIn(const TemporaryFolder &folder) {
  size_t count = 0;
  std::error_code code;
  for (fs::directory_iterator file(folder.path(), code), end;
       file != end && !code; file.increment(code)) {
    ++count;
  }
  return count;
}

static auto write(llvm::StringRef text) {
  return [text](llvm::raw_ostream &os) { os << text; };
}

TEST(OutputFile, AskingLeavesNothingBehind) {
  TemporaryFolder folder;
  EXPECT_EQ(messageOf(expectWritable(folder.file("new"))), "");
  EXPECT_EQ(filesIn(folder), 0u);
  std::string old = folder.write("old", "text");
  EXPECT_EQ(messageOf(expectWritable(old)), "");
  EXPECT_EQ(read(old), "text");
  EXPECT_EQ(messageOf(expectWritable("-")), "");
  EXPECT_EQ(messageOf(expectWritable("/dev/null")), "");
}

TEST(OutputFile, PlacesThatCannotBeWrittenAreNamed) {
  TemporaryFolder folder;
  std::string file = folder.write("file", "text");
  EXPECT_EQ(messageOf(expectWritable(folder.path())),
            folder.path() + ": Is a directory");
  const std::pair<std::string, std::string> missing[] = {
      {folder.file("none/x"), folder.file("none/x")},
      {"", "a file without a name"}};
  for (const auto &[path, name] : missing) {
    EXPECT_EQ(messageOf(expectWritable(path)),
              name + ": No such file or directory");
    EXPECT_EQ(messageOf(writeFile(path, write("x"))),
              name + ": No such file or directory");
  }
  EXPECT_EQ(messageOf(expectWritable(file + "/x")),
            file + "/x: Not a directory");
  EXPECT_EQ(messageOf(writeFile(folder.path(), write("x"))),
            folder.path() + ": Is a directory");
  EXPECT_EQ(read(file), "text");
}

TEST(OutputFile, ReplacesTheWholeFile) {
  TemporaryFolder folder;
  std::string file = folder.write("file", "longer than what comes");
  std::string link = folder.file("link");
  ASSERT_FALSE(fs::create_link(file, link));
  EXPECT_EQ(messageOf(writeFile(link, write("short"))), "");
  EXPECT_EQ(read(file), "short");
  EXPECT_EQ(read(link), "short");
  EXPECT_EQ(filesIn(folder), 2u);
}

TEST(OutputFile, FailuresLeaveWhatWasThere) {
  TemporaryFolder folder;
  std::string file = folder.write("file", "before");
  llvm::Error error = writeFileAt(file, [&](llvm::StringRef place) {
    EXPECT_NE(place, file);
    std::error_code code;
    llvm::raw_fd_ostream(place, code) << "half";
    return llvm::createStringError("too hard");
  });
  EXPECT_EQ(messageOf(std::move(error)), "too hard");
  EXPECT_EQ(read(file), "before");
  EXPECT_EQ(filesIn(folder), 1u);
  EXPECT_EQ(messageOf(writeFile("/dev/full", write("x"))),
            "/dev/full: No space left on device");
}
