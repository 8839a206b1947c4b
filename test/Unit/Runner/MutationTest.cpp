// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged files: every truncation and many random changes must end in a result
// or an error of one line, and nothing that is read may lie outside the file
// (the sanitizers watch).
#include "../TemporaryFolder.h"
#include "moe/Formats/JSONCursor.h"
#include "moe/Formats/NumpyArray.h"
#include "moe/Runner/Safetensors.h"

#include <memory>
#include <random>

using namespace moe::formats;
using namespace moe::test;
using namespace moe::runner;

namespace {
struct Outcome {
  size_t good = 0;
  size_t refused = 0;
};
} // namespace

/// Parses a copy that ends where its allocation ends.
template <typename Parse>
static void tryOne(llvm::StringRef image, Parse parse, Outcome &outcome) {
  std::unique_ptr<char[]> copy(new char[image.size()]);
  std::copy(image.begin(), image.end(), copy.get());
  std::string message = parse(llvm::StringRef(copy.get(), image.size()));
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  ++(message.empty() ? outcome.good : outcome.refused);
}

template <typename Parse>
static Outcome mutate(const std::string &image, size_t headerSize,
                      Parse parse) {
  Outcome outcome;
  for (size_t size = 0; size <= image.size(); ++size) {
    tryOne(llvm::StringRef(image).take_front(size), parse, outcome);
  }
  std::mt19937 random(20240607);
  const std::string interesting = "{}[]\",:0919-.e\\ \n'()FT\xFF";
  for (int round = 0; round < 20000; ++round) {
    std::string mutant = image;
    for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
      size_t position = random() % std::min(headerSize, mutant.size());
      switch (random() % 4) {
      case 0:
        mutant[position] ^= static_cast<char>(1 << (random() % 8));
        break;
      case 1:
        mutant[position] = interesting[random() % interesting.size()];
        break;
      case 2:
        mutant.erase(position, 1 + random() % 4);
        break;
      default:
        mutant.insert(position, 1, interesting[random() % interesting.size()]);
        break;
      }
    }
    tryOne(mutant, parse, outcome);
  }
  return outcome;
}

TEST(Mutation, SafetensorsNeverCrash) {
  SafetensorsWriter writer;
  writer.add("a.weight", ElementType::F32, {2, 3}, std::string(24, 'a'));
  writer.add("b\n.bias", ElementType::BF16, {4}, std::string(8, 'b'));
  std::string image = writer.image();
  uint64_t sum = 0;
  Outcome outcome =
      mutate(image, image.size() - 32, [&](llvm::StringRef mutant) {
        auto tensors = parseSafetensors(mutant, "w");
        if (!tensors) {
          return llvm::toString(tensors.takeError());
        }
        for (const auto &[name, view] : *tensors) {
          for (char byte : view.bytes) {
            sum += static_cast<unsigned char>(byte);
          }
        }
        return std::string();
      });
  // Some changes are harmless (names), most are not.
  EXPECT_GT(outcome.good, 100u);
  EXPECT_GT(outcome.refused, 10000u);
  EXPECT_GT(sum, 0u);
}

TEST(Mutation, NumpyArraysNeverCrash) {
  std::string image = NumpyArray(NumpyType::Float32, {3, 5}).image();
  Outcome outcome =
      mutate(image, image.size() - 60, [](llvm::StringRef mutant) {
        return messageOf(NumpyArray::parse(mutant, "x"));
      });
  EXPECT_GT(outcome.good, 100u);
  EXPECT_GT(outcome.refused, 10000u);
}

TEST(Mutation, JSONNeverCrashes) {
  std::string text = "{\"metadata\": {\"total_size\": 1.5e3}, \"weight_map\": "
                     "{\"a\\u00e9\\ud83d\\ude00\": [\"x\", null, -7]}}";
  Outcome outcome = mutate(text, text.size(), [](llvm::StringRef mutant) {
    JSONCursor cursor(mutant);
    std::string message = messageOf(cursor.skip());
    return message.empty() ? messageOf(cursor.end()) : message;
  });
  EXPECT_GT(outcome.good, 100u);
  EXPECT_GT(outcome.refused, 1000u);
}
