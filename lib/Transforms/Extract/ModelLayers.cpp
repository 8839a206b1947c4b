// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Transforms/Extract/ModelLayers.h"

#include "moe/Dialect/MoE/MoE.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::moe;

std::string ModelLayer::getName() const {
  if (auto text = dyn_cast<StringAttr>(id)) {
    return text.str();
  }
  if (auto number = dyn_cast<IntegerAttr>(id)) {
    return std::to_string(number.getInt());
  }
  return "?";
}

static StringRef getRole(func::FuncOp function) {
  auto role = function->getAttrOfType<StringAttr>(kRoleAttrName);
  return role ? role.getValue() : StringRef();
}

func::FuncOp mlir::moe::findModelFunction(ModuleOp module) {
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    if (getRole(function) == "model") {
      return function;
    }
  }
  return nullptr;
}

static func::FuncOp getCallee(func::CallOp call) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
}

/// Appends to `calls` the way from `function` to the call of its block and says
/// whether there is one.
static bool findBlock(func::FuncOp function, SmallVector<func::CallOp> &calls) {
  for (func::CallOp call : function.getOps<func::CallOp>()) {
    func::FuncOp callee = getCallee(call);
    if (!callee || callee.isDeclaration()) {
      continue;
    }
    calls.push_back(call);
    StringRef role = getRole(callee);
    if (role == "moe_block" || role == "dense_block" ||
        findBlock(callee, calls)) {
      return true;
    }
    calls.pop_back();
  }
  return false;
}

/// Appends the layers that `function` calls, `way` being the calls that lead
/// to it.
static void collectLayers(func::FuncOp function, SmallVector<func::CallOp> &way,
                          SmallVector<ModelLayer> &layers) {
  for (func::CallOp call : function.getOps<func::CallOp>()) {
    func::FuncOp callee = getCallee(call);
    if (!callee || callee.isDeclaration()) {
      continue;
    }
    way.push_back(call);
    if (Attribute id = call->getDiscardableAttr(kLayerAttrName)) {
      ModelLayer layer{id, way};
      StringRef role = getRole(callee);
      bool isBlock = role == "moe_block" || role == "dense_block";
      if (isBlock || findBlock(callee, layer.calls)) {
        layer.isMoE = getRole(getCallee(layer.calls.back())) == "moe_block";
      } else {
        layer.calls.clear();
      }
      layers.push_back(std::move(layer));
    } else {
      collectLayers(callee, way, layers);
    }
    way.pop_back();
  }
}

SmallVector<ModelLayer> mlir::moe::findLayers(func::FuncOp model) {
  SmallVector<ModelLayer> layers;
  SmallVector<func::CallOp> way;
  collectLayers(model, way, layers);
  return layers;
}

/// "0-2, 5, encoder.1": runs of consecutive numbers together.
static std::string listMoELayers(ArrayRef<ModelLayer> layers) {
  SmallVector<std::string> parts;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].isMoE) {
      continue;
    }
    size_t last = i;
    while (last + 1 < layers.size() && layers[last + 1].isMoE &&
           isa<IntegerAttr>(layers[last].id) &&
           isa<IntegerAttr>(layers[last + 1].id) &&
           cast<IntegerAttr>(layers[last + 1].id).getInt() ==
               cast<IntegerAttr>(layers[last].id).getInt() + 1) {
      ++last;
    }
    parts.push_back(last == i
                        ? layers[i].getName()
                        : layers[i].getName() + "-" + layers[last].getName());
    i = last;
  }
  return llvm::join(parts, ", ");
}

FailureOr<ModelLayer> mlir::moe::selectLayer(func::FuncOp model,
                                             StringRef name) {
  SmallVector<ModelLayer> layers = findLayers(model);
  std::string known = listMoELayers(layers);
  if (known.empty()) {
    emitError(model.getLoc(),
              "expected a model with a layer of experts, but none of its ")
        << layers.size() << " layers has any";
    return failure();
  }
  for (ModelLayer &layer : layers) {
    if (name.empty() ? layer.isMoE : layer.getName() == name) {
      if (layer.isMoE) {
        return layer;
      }
      emitError(model.getLoc(), "expected a layer with experts (")
          << known << "), but layer " << name << " is dense";
      return failure();
    }
  }
  emitError(model.getLoc(), "expected a layer with experts (")
      << known << "), but the model has no layer '" << name << "'";
  return failure();
}
