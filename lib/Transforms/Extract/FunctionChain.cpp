// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FunctionChain.h"

using namespace mlir;
using namespace mlir::moe;

FailureOr<ExpertsOp> mlir::moe::findOnlyExperts(ModuleOp module) {
  SmallVector<ExpertsOp> found;
  module.walk([&](ExpertsOp experts) { found.push_back(experts); });
  if (found.size() == 1) {
    return found.front();
  }
  InFlightDiagnostic error =
      emitError(module.getLoc(),
                "expected one 'moe.experts' in the module, but got ")
      << found.size() << "; take one layer by moe-extract-layer";
  return error;
}

/// The only call of `function`, which is private: null for a public one.
static FailureOr<func::CallOp> findCaller(func::FuncOp function) {
  if (function.isPublic()) {
    return func::CallOp();
  }
  auto module = function->getParentOfType<ModuleOp>();
  SmallVector<func::CallOp> calls;
  module.walk([&](func::CallOp call) {
    if (call.getCallee() == function.getSymName()) {
      calls.push_back(call);
    }
  });
  if (calls.size() == 1) {
    return calls.front();
  }
  InFlightDiagnostic error =
      emitError(function.getLoc(), "expected one call of '")
      << function.getSymName() << "', but got " << calls.size()
      << "; take one layer by moe-extract-layer";
  return error;
}

func::CallOp mlir::moe::replaceCall(func::CallOp call, TypeRange results,
                                    ValueRange operands) {
  OpBuilder builder(call);
  auto replacement = func::CallOp::create(builder, call.getLoc(),
                                          call.getCallee(), results, operands);
  replacement->setDiscardableAttrs(call->getDiscardableAttrDictionary());
  // One entry a result; nothing is said of those that are new.
  if (auto shardings =
          call->getAttrOfType<ArrayAttr>(comm::kResultShardingsAttrName)) {
    SmallVector<Attribute> entries(shardings.getValue());
    entries.resize(results.size(), builder.getUnitAttr());
    replacement->setAttr(comm::kResultShardingsAttrName,
                         builder.getArrayAttr(entries));
  }
  call->replaceAllUsesWith(
      replacement.getResults().take_front(call.getNumResults()));
  call.erase();
  return replacement;
}

FailureOr<func::FuncOp> mlir::moe::passFromPublic(func::FuncOp function,
                                                  ArrayRef<Type> types) {
  unsigned old = function.getNumArguments();
  for (auto [i, type] : llvm::enumerate(types)) {
    if (failed(function.insertArgument(old + i, type, nullptr,
                                       function.getLoc()))) {
      return failure();
    }
  }
  FailureOr<func::CallOp> call = findCaller(function);
  if (failed(call)) {
    return failure();
  }
  if (!*call) {
    return function;
  }
  auto caller = (*call)->getParentOfType<func::FuncOp>();
  FailureOr<func::FuncOp> outermost = passFromPublic(caller, types);
  if (failed(outermost)) {
    return failure();
  }
  // The caller's own call may have been replaced, but not this one.
  SmallVector<Value> operands(call->getOperands());
  llvm::append_range(operands, caller.getArguments().take_back(types.size()));
  replaceCall(*call, call->getResultTypes(), operands);
  return outermost;
}

Attribute mlir::moe::shardByToken(Attribute tokens) {
  auto sharding = dyn_cast_if_present<comm::ShardingAttr>(tokens);
  if (!sharding) {
    return nullptr;
  }
  auto whole = comm::AxisListAttr::get(sharding.getContext(),
                                       ArrayRef<comm::AxisRefAttr>());
  return comm::ShardingAttr::get(sharding.getContext(), sharding.getMesh(),
                                 {sharding.getDims().front(), whole});
}
