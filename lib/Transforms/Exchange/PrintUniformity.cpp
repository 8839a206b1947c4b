// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/Uniformity.h"
#include "moe/Formats/OutputFile.h"
#include "moe/Transforms/Exchange/Passes.h"
#include "moe/Transforms/ReportingPass.h"

#include "mlir/IR/AsmState.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::moe {
#define GEN_PASS_DEF_PRINTUNIFORMITYPASS
#include "moe/Transforms/Exchange/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

// `  %3 varies over {"ep"}, its extents over {"dp"} (comm.all_to_all_v)`
static void printValue(Value value, const Uniformity &uniformity,
                       AsmState &state, raw_ostream &os) {
  const AxisParts &parts = uniformity.getParts();
  auto describe = [&](Aspect aspect) {
    return toString(parts.toAttribute(uniformity.getVarying(value, aspect)));
  };
  os << "  ";
  value.printAsOperand(os, state);
  AxisSet varying = uniformity.getVarying(value);
  bool isUnwritten = varying.anyCommon(parts.getUnwritten());
  if (varying.reset(parts.getUnwritten()).any()) {
    os << " varies over " << describe(Aspect::Contents);
  } else {
    os << (isUnwritten ? " is unwritten" : " is uniform");
  }
  auto shaped = dyn_cast<ShapedType>(value.getType());
  if (shaped && shaped.hasRank() && !shaped.hasStaticShape()) {
    os << ", extents "
       << (uniformity.getVarying(value, Aspect::Extents).none()
               ? std::string("uniform")
               : "over " + describe(Aspect::Extents));
  }
  if (Operation *op = value.getDefiningOp()) {
    os << " (" << op->getName() << ")";
  }
  os << "\n";
}

static void printFunction(FunctionOpInterface function,
                          const Uniformity &uniformity, AsmState &state,
                          raw_ostream &os) {
  os << "@" << function.getName() << "\n";
  for (Value argument : function.getArguments()) {
    printValue(argument, uniformity, state, os);
  }
  function->walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Value result : op->getResults()) {
      printValue(result, uniformity, state, os);
    }
  });
}

namespace {
class PrintUniformityPass
    : public mlir::moe::impl::PrintUniformityPassBase<PrintUniformityPass>,
      public ReportingPass {
public:
  using PrintUniformityPassBase::PrintUniformityPassBase;

  StringRef getOutput() const override { return output; }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Uniformity> uniformity = Uniformity::analyze(module);
    if (failed(uniformity)) {
      return signalPassFailure();
    }
    llvm::Error error = ::moe::formats::writeFile(output, [&](raw_ostream &os) {
      AsmState state(module);
      for (auto function : module.getOps<FunctionOpInterface>()) {
        if (!function.isExternal()) {
          printFunction(function, *uniformity, state, os);
        }
      }
    });
    if (error) {
      (void)emitFileError(module.getContext(), std::move(error));
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
