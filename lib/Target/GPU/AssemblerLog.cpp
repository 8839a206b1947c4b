// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/AssemblerLog.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::moe;
using llvm::StringRef;

/// The number in front of `unit` in "24 registers, used 1 barriers, …"; 0
/// without one.
static int64_t amountOf(StringRef unit, StringRef line) {
  llvm::SmallVector<StringRef> parts;
  line.split(parts, ',');
  for (StringRef part : parts) {
    part = part.trim();
    part.consume_front("Used ");
    part.consume_front("used ");
    int64_t amount = 0;
    if (!part.consumeInteger(10, amount) && part.trim() == unit) {
      return amount;
    }
  }
  return 0;
}

static void readLine(StringRef line, AssemblerLog &log) {
  // "ptxas info    : text", "ptxas         .     text" goes on with the last.
  size_t colon = line.find(" : ");
  StringRef head = line.take_front(std::min(colon, line.size()));
  StringRef text = colon == StringRef::npos ? line : line.substr(colon + 3);
  // Serialised tensor core instructions are told as information only.
  if (head.contains("warning") || text.contains("Potential Performance Loss")) {
    log.warnings.push_back(text.trim().str());
    return;
  }
  if (text.consume_front("Compiling entry function '")) {
    log.kernels.push_back(
        {text.take_until([](char c) { return c == '\''; }).str()});
    return;
  }
  if (log.kernels.empty()) {
    return;
  }
  KernelResources &kernel = log.kernels.back();
  if (text.contains("spill stores")) {
    text = text.drop_until(llvm::isDigit);
    kernel.stackBytes = amountOf("bytes stack frame", text);
    kernel.spillStoreBytes = amountOf("bytes spill stores", text);
    kernel.spillLoadBytes = amountOf("bytes spill loads", text);
  } else if (text.starts_with("Used ")) {
    kernel.registers = amountOf("registers", text);
    kernel.barriers = amountOf("barriers", text);
    kernel.staticSharedBytes = amountOf("bytes smem", text);
  }
}

AssemblerLog mlir::moe::parseAssemblerLog(StringRef text) {
  AssemblerLog log;
  for (StringRef line : llvm::split(text, '\n')) {
    readLine(line, log);
  }
  return log;
}
