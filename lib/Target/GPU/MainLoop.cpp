// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/MainLoop.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"

#include <string>

using namespace mlir::moe;
using llvm::StringRef;

/// The lines of the kernel's code.
static StringRef findCode(StringRef disassembly, StringRef kernel) {
  std::string label = ("\n.text." + kernel + ":\n").str();
  size_t begin = disassembly.find(label);
  if (begin == StringRef::npos) {
    return "";
  }
  StringRef code = disassembly.substr(begin + label.size());
  return code.take_front(std::min(code.find("\n\t.section"), code.size()));
}

/// "/*0390*/ @P0 HMMA.16816.F32.BF16 R4, …" → "HMMA.16816.F32.BF16 R4, …".
static StringRef instructionOf(StringRef line) {
  line = line.trim();
  if (!line.consume_front("/*")) {
    return "";
  }
  line = line.split("*/").second.trim();
  if (line.starts_with("@")) {
    line = line.split(' ').second.trim();
  }
  return line;
}

static bool isProduct(StringRef instruction) {
  return llvm::StringSwitch<bool>(instruction.take_until([](char c) {
           return c == '.' || c == ' ';
         }))
      .Cases({"HMMA", "IMMA", "QMMA", "OMMA", "HGMMA", "UTCHMMA"}, true)
      .Default(false);
}

std::optional<MainLoop> mlir::moe::findMainLoop(StringRef disassembly,
                                                StringRef kernel) {
  // Counts before each label, and so of each stretch of code.
  llvm::StringMap<MainLoop> labels;
  MainLoop here;
  std::optional<MainLoop> best;
  for (StringRef line : llvm::split(findCode(disassembly, kernel), '\n')) {
    if (line.starts_with(".L") && line.contains(':')) {
      labels[line.split(':').first] = here;
      continue;
    }
    StringRef instruction = instructionOf(line);
    if (instruction.empty()) {
      continue;
    }
    ++here.instructions;
    here.products += isProduct(instruction);
    if (!instruction.starts_with("BRA")) {
      continue;
    }
    StringRef target = instruction.split('(').second.split(')').first;
    auto head = labels.find(target);
    if (head == labels.end()) {
      continue;
    }
    MainLoop loop = {here.instructions - head->second.instructions,
                     here.products - head->second.products};
    // An outer loop has no more than its inner one, and is longer.
    if (loop.products > 0 && (!best || loop.products > best->products)) {
      best = loop;
    }
  }
  return best;
}
