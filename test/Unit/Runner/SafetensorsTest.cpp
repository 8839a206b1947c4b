// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/Safetensors.h"
#include "../TemporaryFolder.h"

using namespace moe::runner;
using namespace moe::test;

/// A file with this header and \p dataSize bytes of data.
static std::string imageOf(llvm::StringRef header, size_t dataSize) {
  std::string result(8, '\0');
  result[0] = static_cast<char>(header.size() & 0xFF);
  result[1] = static_cast<char>(header.size() >> 8);
  return result + header.str() + std::string(dataSize, 'x');
}

static std::string errorOf(llvm::StringRef header, size_t dataSize) {
  return messageOf(parseSafetensors(imageOf(header, dataSize), "w"));
}

TEST(Safetensors, ReadsWhatItsWriterWrites) {
  SafetensorsWriter writer;
  std::vector<float> floats = {1, 2, 3, 4, 5, 6};
  std::vector<uint16_t> halves = {0x3F80, 0x4000};
  writer.add("b", ElementType::F32, {2, 3}, bytesOf(floats));
  writer.add("a \"quoted\"", ElementType::BF16, {2}, bytesOf(halves));
  writer.add("none", ElementType::F16, {0, 7}, "");
  writer.add("scalar", ElementType::F8_E4M3, {}, "z");
  std::string image = writer.image();
  auto tensors = llvm::cantFail(parseSafetensors(image, "w"));
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_EQ(tensors.at("b").shape, TensorShape({2, 3}));
  EXPECT_EQ(tensors.at("b").bytes, bytesOf(floats));
  EXPECT_EQ(tensors.at("a \"quoted\"").type, ElementType::BF16);
  EXPECT_EQ(tensors.at("a \"quoted\"").bytes, bytesOf(halves));
  EXPECT_EQ(tensors.at("none").bytes, "");
  EXPECT_EQ(tensors.at("scalar").type, ElementType::F8_E4M3);
}

TEST(Safetensors, ReadsWhatOthersWrite) {
  std::string image = imageOf("{\"__metadata__\":{\"format\":\"pt\"},"
                              "\"t\":{\"shape\":[3],\"data_offsets\":[0,6],"
                              "\"dtype\":\"F16\"}}  \n",
                              6);
  auto tensors = llvm::cantFail(parseSafetensors(image, "w"));
  EXPECT_EQ(tensors.at("t").type, ElementType::F16);
  EXPECT_TRUE(llvm::cantFail(parseSafetensors(imageOf("{}", 0), "w")).empty());
}

TEST(Safetensors, RefusesBadLengths) {
  EXPECT_EQ(messageOf(parseSafetensors("", "w.safetensors")),
            "w.safetensors: expected a header length of 8 bytes, but got 0");
  EXPECT_EQ(messageOf(parseSafetensors(
                llvm::StringRef("\x7f\0\0\0\0\0\0\0{}", 10), "w")),
            "w: expected a header of at most 2 bytes, but got 127");
  EXPECT_EQ(messageOf(parseSafetensors(std::string(8, '\xFF') + "{}", "w")),
            "w: expected a header of at most 2 bytes, but got "
            "18446744073709551615");
}

TEST(Safetensors, RefusesBadHeaders) {
  EXPECT_EQ(errorOf("[]", 0), "w: header:1:1: expected '{', but got '['");
  EXPECT_EQ(errorOf("{\"t\": 7}", 0),
            "w: header:1:7: tensor 't': expected '{', but got '7'");
  EXPECT_EQ(errorOf("{\"t\":{\"dtype\":\"F33\"}}", 0),
            "w: tensor 't': expected a safetensors dtype, but got 'F33'");
  EXPECT_EQ(errorOf("{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}", 0),
            "w: tensor 't': expected 'dtype' and 'shape', but got no 'shape'");
  EXPECT_EQ(errorOf("{\"t\":{\"shape\":[],\"data_offsets\":[0,0]}}", 0),
            "w: tensor 't': expected 'dtype' and 'shape', but got no 'dtype'");
  EXPECT_EQ(errorOf("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],"
                    "\"data_offsets\":[0,4,4]}}",
                    4),
            "w: tensor 't': expected two numbers in 'data_offsets', but got 3");
  EXPECT_EQ(errorOf("{\"t\":{\"size\":4}}", 0),
            "w: tensor 't': expected 'dtype', 'shape' or 'data_offsets', but "
            "got 'size'");
  std::string entry = "\"t\":{\"dtype\":\"U8\",\"shape\":[0],"
                      "\"data_offsets\":[0,0]}";
  EXPECT_EQ(errorOf("{" + entry + "," + entry + "}", 0),
            "w: header:1:54: expected each key once, but got 't' twice");
  EXPECT_EQ(errorOf("{\"__metadata__\":{\"a\":1}}", 0),
            "w: header:1:22: expected a string, but got '1'");
  EXPECT_EQ(errorOf("{} x", 0),
            "w: header:1:4: expected the end of the text, but got 'x'");
}

/// A header of F32 tensors a, b, … with these fields.
static std::string
headerOf(llvm::ArrayRef<std::pair<const char *, const char *>> tensors) {
  std::string header = "{";
  char name = 'a';
  for (auto [shape, offsets] : tensors) {
    header += std::string(header.size() > 1 ? "," : "") + "\"" + name++ +
              "\":{\"dtype\":\"F32\",\"shape\":" + shape +
              ",\"data_offsets\":" + offsets + "}";
  }
  return header + "}";
}

TEST(Safetensors, RefusesBadOffsets) {
  EXPECT_EQ(errorOf(headerOf({{"[2]", "[0,4]"}}), 4),
            "w: tensor 'a': expected the bytes of shape [2] in F32, but got 4");
  EXPECT_EQ(errorOf(headerOf({{"[2]", "[0,8]"}}), 4),
            "w: tensor 'a': expected data offsets within 4 bytes of data, but "
            "got [0, 8]");
  EXPECT_EQ(errorOf(headerOf({{"[1]", "[4,0]"}}), 4),
            "w: tensor 'a': expected data offsets within 4 bytes of data, but "
            "got [4, 0]");
  EXPECT_EQ(errorOf(headerOf({{"[2]", "[0,8]"}, {"[2]", "[4,12]"}}), 12),
            "w: tensor 'b': expected data offset 8, but got 4 (tensors "
            "overlap)");
  EXPECT_EQ(errorOf(headerOf({{"[1]", "[4,8]"}}), 8),
            "w: tensor 'a': expected data offset 0, but got 4 (bytes of no "
            "tensor)");
  EXPECT_EQ(errorOf(headerOf({{"[1]", "[0,4]"}}), 8),
            "w: expected 4 bytes of data, but got 8");
  EXPECT_EQ(errorOf(headerOf({{"[4611686018427387904,4611686018427387904]",
                               "[0,4]"}}),
                    4),
            "w: tensor 'a': expected the bytes of shape [4611686018427387904, "
            "4611686018427387904] in F32, but got 4");
}
