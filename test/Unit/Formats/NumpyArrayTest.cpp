// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Formats/NumpyArray.h"
#include "../TemporaryFolder.h"

using namespace moe::formats;
using namespace moe::test;

/// A file of this version with this dictionary and \p dataSize zero bytes.
static std::string imageOf(int version, llvm::StringRef dictionary,
                           size_t dataSize) {
  std::string result = "\x93NUMPY";
  result += static_cast<char>(version);
  result += '\0';
  for (int byte = 0; byte < (version == 1 ? 2 : 4); ++byte) {
    result += static_cast<char>(dictionary.size() >> (8 * byte));
  }
  return result + dictionary.str() + std::string(dataSize, '\0');
}

static std::string errorOf(llvm::StringRef dictionary, size_t dataSize = 0) {
  return messageOf(NumpyArray::parse(imageOf(1, dictionary, dataSize), "x"));
}

template <typename T> static void expectRoundTrip(NumpyType type) {
  TemporaryFolder folder;
  NumpyArray array(type, {2, 3});
  for (int i = 0; i < 6; ++i) {
    array.values<T>()[i] = static_cast<T>(i - 3);
  }
  EXPECT_EQ(messageOf(array.write(folder.file("a.npy"))), "");
  NumpyArray back = llvm::cantFail(NumpyArray::open(folder.file("a.npy")));
  EXPECT_EQ(back.type(), type);
  EXPECT_EQ(back.shape(), llvm::ArrayRef<int64_t>({2, 3}));
  EXPECT_EQ(back.values<T>(), array.values<T>());
  EXPECT_EQ(back.image(), array.image());
}

TEST(NumpyArray, RoundTripsEveryType) {
  expectRoundTrip<float>(NumpyType::Float32);
  expectRoundTrip<double>(NumpyType::Float64);
  expectRoundTrip<int32_t>(NumpyType::Int32);
  expectRoundTrip<int64_t>(NumpyType::Int64);
}

TEST(NumpyArray, RoundTripsEveryRank) {
  const std::vector<int64_t> shapes[] = {{}, {5}, {0, 7}, {2, 1, 3, 1}};
  for (const std::vector<int64_t> &shape : shapes) {
    std::string image = NumpyArray(NumpyType::Int32, shape).image();
    NumpyArray back = llvm::cantFail(NumpyArray::parse(image, "x"));
    EXPECT_EQ(back.shape(), llvm::ArrayRef<int64_t>(shape));
    EXPECT_EQ((image.size() - back.size() * 4) % 64, 0u);
  }
}

TEST(NumpyArray, ReadsEveryVersion) {
  // As NumPy pads it, and with the keys in another order.
  for (int version : {1, 2, 3}) {
    std::string image = imageOf(
        version,
        "{'shape': (3, ), \"descr\": '<f4', 'fortran_order': False}   \n", 12);
    EXPECT_EQ(llvm::cantFail(NumpyArray::parse(image, "x")).size(), 3);
  }
  EXPECT_EQ(messageOf(NumpyArray::parse(imageOf(4, "{}  ", 0), "x")),
            "x: expected format version 1, 2 or 3, but got 4");
}

TEST(NumpyArray, RefusesBadHeaders) {
  EXPECT_EQ(messageOf(NumpyArray::parse("PK\3\4 an archive", "x.npz")),
            "x.npz: expected a NumPy file, but got other bytes at its "
            "beginning");
  EXPECT_EQ(messageOf(NumpyArray::parse(
                imageOf(1, "{'descr': '<f4'}", 0).substr(0, 20), "x")),
            "x: expected a header of at most 10 bytes, but got 16");
  EXPECT_EQ(errorOf("('descr')"),
            "x: expected a dictionary in the header, but got '('descr')'");
  EXPECT_EQ(errorOf("{'descr': '<f4'}"),
            "x: expected the keys 'descr', 'fortran_order' and 'shape', but "
            "got 1 of them");
  EXPECT_EQ(errorOf("{'descr': '>f4'}"),
            "x: expected dtype '<f4', '<f8', '<i4' or '<i8', but got '>f4'");
  EXPECT_EQ(errorOf("{'fortran_order': True}"),
            "x: expected C order (numpy.ascontiguousarray makes it), but got "
            "Fortran order");
  EXPECT_EQ(errorOf("{'fortran_order': 0}"),
            "x: expected True or False in the header, but got '0}'");
  EXPECT_EQ(errorOf("{'shape': (1 2)}"),
            "x: expected ',' or ')' in the header, but got '2)}'");
  EXPECT_EQ(errorOf("{'shape': (-1,)}"),
            "x: expected an extent in the header, but got '-1,)}'");
  EXPECT_EQ(errorOf("{'shape': (), 'shape': ()}"),
            "x: expected each key once, but got 'shape' twice");
  EXPECT_EQ(errorOf("{'colour': 1}"),
            "x: expected the key 'descr', 'fortran_order' or 'shape', but got "
            "'colour'");
  EXPECT_EQ(errorOf("{'descr' '<f4'}"),
            "x: expected ':' in the header, but got ''<f4'}'");
  EXPECT_EQ(errorOf("{7: 1}"),
            "x: expected a string in the header, but got '7: 1}'");
}

TEST(NumpyArray, RefusesDataOfAnotherSize) {
  const std::string beginning = "{'descr': '<f4', 'fortran_order': False, ";
  EXPECT_EQ(errorOf(beginning + "'shape': (2, 3)}", 20),
            "x: expected 6 elements of 4 bytes, but got 20 bytes");
  EXPECT_EQ(errorOf(beginning + "'shape': (2, 3)}", 23),
            "x: expected 6 elements of 4 bytes, but got 23 bytes");
  EXPECT_EQ(errorOf(beginning + "'shape': (4294967296, 4294967296)}", 20),
            "x: expected 2^63 elements of 4 bytes, but got 20 bytes");
  EXPECT_EQ(errorOf(beginning + "'shape': ()} x", 4),
            "x: expected nothing more in the header, but got 'x'");
}
