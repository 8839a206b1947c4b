// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"

#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

static std::string substitute(std::string text, const Numbers &numbers) {
  for (const auto &[name, number] : numbers) {
    std::string key = "$" + name;
    for (size_t at = text.find(key); at != std::string::npos;
         at = text.find(key, at)) {
      text.replace(at, key.size(), number);
    }
  }
  return text;
}

CompiledLoops &CompiledLoops::get(std::string text, const Numbers &numbers,
                                  StringRef cpu) {
  static std::map<std::string, std::unique_ptr<CompiledLoops>> compiled;
  text = substitute(std::move(text), numbers);
  std::unique_ptr<CompiledLoops> &code = compiled[cpu.str() + text];
  if (!code) {
    code.reset(new CompiledLoops(text, cpu));
  }
  return *code;
}

CompiledLoops::CompiledLoops(const std::string &text, StringRef cpu) {
  DialectRegistry registry;
  CompiledCode::registerDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(module);
  code = CompiledCode::create(std::move(module), cpu);
}
