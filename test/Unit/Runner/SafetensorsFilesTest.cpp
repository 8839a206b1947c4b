// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../TemporaryFolder.h"
#include "moe/Runner/Safetensors.h"

using namespace moe::formats;
using namespace moe::test;
using namespace moe::runner;

/// Writes a file with one F32 vector for each name.
static std::string writeWeights(const TemporaryFolder &folder,
                                llvm::StringRef file,
                                llvm::ArrayRef<const char *> names) {
  SafetensorsWriter writer;
  float value = 0;
  for (const char *name : names) {
    std::vector<float> values = {++value};
    writer.add(name, ElementType::F32, {1}, bytesOf(values));
  }
  EXPECT_EQ(messageOf(writer.write(folder.file(file))), "");
  return folder.file(file);
}

TEST(SafetensorsFiles, OpensOneFile) {
  TemporaryFolder folder;
  std::string path = writeWeights(folder, "w.safetensors", {"b", "a"});
  Safetensors weights = llvm::cantFail(Safetensors::open(path));
  EXPECT_EQ(weights.names(), std::vector<std::string>({"a", "b"}));
  EXPECT_TRUE(weights.contains("a"));
  EXPECT_FALSE(weights.contains("c"));
  EXPECT_EQ(messageOf(weights.lookup("c")),
            path + ": expected a tensor 'c', but there is none");
  EXPECT_EQ(llvm::cantFail(weights.lookup("b")).shape, TensorShape({1}));
}

TEST(SafetensorsFiles, OpensFolderThroughIndex) {
  TemporaryFolder folder;
  writeWeights(folder, "model-1.safetensors", {"a"});
  writeWeights(folder, "model-2.safetensors", {"b"});
  folder.write("model.safetensors.index.json",
               "{\"metadata\": {\"total_size\": 1.5}, \"weight_map\": "
               "{\"a\": \"model-1.safetensors\", \"b\": "
               "\"model-2.safetensors\", \"c\": \"model-3.safetensors\", "
               "\"d\": \"model-1.safetensors\"}}");
  Safetensors weights = llvm::cantFail(Safetensors::open(folder.path()));
  EXPECT_EQ(weights.names().size(), 4u);
  EXPECT_EQ(llvm::cantFail(weights.lookup("b")).bytes.size(), 4u);
  EXPECT_EQ(messageOf(weights.lookup("c")),
            folder.file("model-3.safetensors") +
                ": expected a tensor 'c', but the file does not exist");
  EXPECT_EQ(messageOf(weights.lookup("d")),
            folder.file("model-1.safetensors") +
                ": expected a tensor 'd', but the file does not hold it");
}

TEST(SafetensorsFiles, OpensFolderWithoutIndex) {
  TemporaryFolder folder;
  EXPECT_EQ(messageOf(Safetensors::open(folder.path())),
            folder.path() + ": expected *.safetensors files, but got none");
  writeWeights(folder, "x.safetensors", {"a"});
  writeWeights(folder, "y.safetensors", {"b"});
  EXPECT_EQ(llvm::cantFail(Safetensors::open(folder.path())).names().size(),
            2u);
  writeWeights(folder, "z.safetensors", {"a"});
  EXPECT_EQ(messageOf(Safetensors::open(folder.path())),
            folder.file("z.safetensors") +
                ": expected tensor 'a' in one file, but got it in '" +
                folder.file("x.safetensors") + "' too");
  writeWeights(folder, "model.safetensors", {"only"});
  EXPECT_EQ(llvm::cantFail(Safetensors::open(folder.path())).names().size(),
            1u);
}

TEST(SafetensorsFiles, RefusesBadIndex) {
  TemporaryFolder folder;
  auto errorOf = [&](llvm::StringRef text) {
    return messageOf(Safetensors::open(folder.write("i.json", text)));
  };
  std::string path = folder.file("i.json");
  EXPECT_EQ(errorOf("{}"),
            path + ": expected the key 'weight_map', but got none");
  EXPECT_EQ(errorOf("{\"weight_map\": {\"a\": \"../w\"}}"),
            path + ": tensor 'a': expected a file name without a folder, but "
                   "got '../w'");
  EXPECT_EQ(errorOf("{\"weight_map\": {\"a\": 3}}"),
            path + ":1:22: expected a string, but got '3'");
  EXPECT_EQ(errorOf("{\"weight_map\": {\"a\": \"x\", \"a\": \"y\"}}"),
            path + ":1:27: expected each key once, but got 'a' twice");
  writeWeights(folder, "p.safetensors", {"a", "b"});
  writeWeights(folder, "q.safetensors", {"c"});
  EXPECT_EQ(errorOf("{\"weight_map\": {\"a\": \"p.safetensors\", \"b\": "
                    "\"q.safetensors\"}}"),
            path + ": tensor 'b': expected it in '" +
                folder.file("q.safetensors") + "', but got it in '" +
                folder.file("p.safetensors") + "'");
}

TEST(SafetensorsFiles, NamesFilesThatCannotBeOpened) {
  TemporaryFolder folder;
  std::string path = folder.file("missing.safetensors");
  EXPECT_EQ(messageOf(Safetensors::open(path)),
            path + ": No such file or directory");
  EXPECT_EQ(messageOf(MappedFile::open(folder.path())),
            folder.path() + ": Is a directory");
  EXPECT_EQ(llvm::cantFail(MappedFile::open(folder.write("e", ""))).bytes(),
            "");
  path = folder.write("short.safetensors", "abc");
  EXPECT_EQ(messageOf(Safetensors::open(path)),
            path + ": expected a header length of 8 bytes, but got 3");
}
