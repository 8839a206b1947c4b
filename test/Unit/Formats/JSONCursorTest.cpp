// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Formats/JSONCursor.h"
#include "../TemporaryFolder.h"

using namespace moe::formats;
using namespace moe::test;

static std::string skipAll(llvm::StringRef text) {
  JSONCursor cursor(text);
  std::string message = messageOf(cursor.skip());
  return message.empty() ? messageOf(cursor.end()) : message;
}

static std::string stringOf(llvm::StringRef text) {
  JSONCursor cursor(text);
  llvm::Expected<std::string> result = cursor.string();
  return result ? *result : "error: " + llvm::toString(result.takeError());
}

static std::string integerOf(llvm::StringRef text) {
  JSONCursor cursor(text);
  llvm::Expected<int64_t> result = cursor.integer();
  return result ? std::to_string(*result)
                : "error: " + llvm::toString(result.takeError());
}

static std::string numberOf(llvm::StringRef text) {
  JSONCursor cursor(text);
  llvm::Expected<double> result = cursor.number();
  return result ? std::to_string(*result)
                : "error: " + llvm::toString(result.takeError());
}

TEST(JSONCursor, ReadsNumbers) {
  EXPECT_EQ(numberOf(" -0.5e1,"), "-5.000000");
  EXPECT_EQ(numberOf("0"), "0.000000");
  EXPECT_EQ(numberOf("1e999"), "inf");
  EXPECT_EQ(numberOf("1e-999"), "0.000000");
  for (const char *text : {"+1", ".5", "01", "1.", "1e", "NaN", "-", "", "x"}) {
    EXPECT_EQ(numberOf(text).substr(0, 29), "error: 1:1: expected a number");
  }
}

TEST(JSONCursor, LooksAhead) {
  JSONCursor cursor(" [ [[1]]]");
  EXPECT_EQ(cursor.arraysAhead(), 3u);
  EXPECT_EQ(cursor.peek(), '[');
  EXPECT_EQ(JSONCursor(" ").peek(), '\0');
}

TEST(JSONCursor, SkipsAnyValue) {
  EXPECT_EQ(skipAll(" {\"a\": [1, -2.5e3, true, null, \"x\"], \"b\": {}} "),
            "");
  EXPECT_EQ(skipAll("[]"), "");
}

TEST(JSONCursor, RefusesWhatIsNotJSON) {
  EXPECT_EQ(skipAll(""), "1:1: expected a value, but got the end of the text");
  EXPECT_EQ(skipAll("[1,]"), "1:4: expected a value, but got ']'");
  EXPECT_EQ(skipAll("[1 2]"), "1:4: expected ']', but got '2'");
  EXPECT_EQ(skipAll("{\"a\" 1}"), "1:6: expected ':', but got '1'");
  EXPECT_EQ(skipAll("{} {}"), "1:4: expected the end of the text, but got '{'");
  EXPECT_EQ(skipAll("[NaN]"), "1:2: expected a value, but got 'N'");
}

TEST(JSONCursor, CountsLines) {
  EXPECT_EQ(skipAll("[1,\n 2,\n  x]"), "3:3: expected a value, but got 'x'");
  EXPECT_EQ(skipAll("[1,\n"), "2:1: expected a value, but got the end of the "
                              "text");
}

TEST(JSONCursor, RefusesEqualKeys) {
  EXPECT_EQ(skipAll("{\"a\": 1, \"\\u0061\": 2}"),
            "1:10: expected each key once, but got 'a' twice");
}

TEST(JSONCursor, RefusesDeepNesting) {
  EXPECT_EQ(skipAll(std::string(32, '[') + std::string(32, ']')), "");
  std::string deep(1 << 20, '[');
  EXPECT_EQ(skipAll(deep),
            "1:34: expected at most 32 levels of nesting, but got '['");
}

TEST(JSONCursor, ReadsStrings) {
  EXPECT_EQ(stringOf("\"a\\n\\\"\\\\\\/\\u00e9\\ud83d\\ude00\""),
            "a\n\"\\/\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(stringOf("7"), "error: 1:1: expected a string, but got '7'");
  EXPECT_EQ(stringOf("\"a"),
            "error: 1:3: expected '\"', but got the end of the text");
  EXPECT_EQ(stringOf("\"\\x\""),
            "error: 1:3: expected an escape sequence, but got 'x'");
  EXPECT_EQ(stringOf("\"\\u12G4\""),
            "error: 1:4: expected four hexadecimal digits, but got '1'");
  EXPECT_NE(stringOf("\"\\ud83dx\"").find("surrogate"), std::string::npos);
  EXPECT_NE(stringOf("\"\\ude00\"").find("surrogate"), std::string::npos);
  EXPECT_NE(stringOf("\"\xFF\"").find("expected a string in UTF-8"),
            std::string::npos);
  EXPECT_NE(stringOf("\"\n\"").find("control character"), std::string::npos);
}

TEST(JSONCursor, ReadsIntegers) {
  EXPECT_EQ(integerOf("0"), "0");
  EXPECT_EQ(integerOf("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(integerOf("9223372036854775808"),
            "error: 1:1: expected an integer below 2^63, but got '9'");
  for (llvm::StringRef text : {"-1", "1.0", "1e3", "01", "x"}) {
    EXPECT_NE(integerOf(text).find("an integer that is not negative"),
              std::string::npos)
        << text.str();
  }
}
