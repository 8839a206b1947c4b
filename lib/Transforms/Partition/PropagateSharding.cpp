// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ShardingState.h"
#include "moe/Transforms/Partition/Passes.h"

#include "moe/Dialect/MoE/MoE.h"

namespace mlir::moe {
#define GEN_PASS_DEF_PROPAGATESHARDINGPASS
#include "moe/Transforms/Partition/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
using comm::AxisListAttr;
using comm::AxisRefAttr;
using comm::ShardingAttr;
using comm::ShardingRule;

namespace {
/// A dimension of a value: undecided, or split over axes.
struct Dimension {
  AxisListAttr axes;
  /// Written in the program rather than found; wins a conflict.
  bool isWritten = false;
};
using Dimensions = SmallVector<Dimension>;

/// A dimension and the value that it is one of.
struct Site {
  Dimensions *value;
  size_t dim;

  Dimension &operator*() const { return (*value)[dim]; }
};

/// The fixpoint. Only ever decides what is undecided, so it ends.
class Propagation {
public:
  Propagation(ModuleOp module, comm::MeshOp mesh)
      : module(module), mesh(mesh) {}

  LogicalResult run() {
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      seed(function);
    }
    if (failed(status) || failed(collectRules())) {
      return failure();
    }
    do {
      changed = false;
      for (Operation *op : order) {
        visit(op);
      }
      for (Operation *op : llvm::reverse(order)) {
        visit(op);
      }
    } while (changed);
    return success();
  }

  /// Writes what was decided into the module's attributes.
  void write(FlatSymbolRefAttr mesh) {
    for (auto &[value, dims] : values) {
      ShardingAttributes::set(value, toSharding(dims, mesh));
    }
    for (auto &[key, dims] : functionResults) {
      auto function = cast<func::FuncOp>(key.first);
      ShardingAttr sharding = toSharding(dims, mesh);
      if (sharding.isReplicated()) {
        function.removeResultAttr(
            key.second,
            StringAttr::get(module.getContext(), comm::kShardingAttrName));
      } else {
        function.setResultAttr(key.second, comm::kShardingAttrName, sharding);
      }
    }
  }

private:
  static int64_t rankOf(Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped ? shaped.getRank() : 0;
  }

  Dimensions &dimensionsOf(Value value) {
    auto [found, inserted] = values.try_emplace(value);
    if (inserted) {
      found->second.resize(rankOf(value.getType()));
    }
    return found->second;
  }

  Dimensions &dimensionsOf(func::FuncOp function, unsigned result) {
    auto [found, inserted] =
        functionResults.try_emplace({function.getOperation(), result});
    if (inserted) {
      found->second.resize(rankOf(function.getResultTypes()[result]));
    }
    return found->second;
  }

  /// Takes what the program says of a value.
  void write(Dimensions &dims, ShardingAttr sharding, Operation *at) {
    if (failed(verifyMesh(mesh, sharding, at))) {
      status = failure();
      return;
    }
    for (auto [dim, axes] : llvm::zip_equal(dims, sharding.getDims())) {
      dim = {axes, /*isWritten=*/true};
    }
  }

  void seed(func::FuncOp function) {
    for (unsigned result = 0; result < function.getNumResults(); ++result) {
      Dimensions &dims = dimensionsOf(function, result);
      if (auto sharding = function.getResultAttrOfType<ShardingAttr>(
              result, comm::kShardingAttrName)) {
        write(dims, sharding, function);
      }
    }
    auto seedValue = [&](Value value, Operation *at) {
      if (!isa<ShapedType>(value.getType())) {
        return;
      }
      Dimensions &dims = dimensionsOf(value);
      if (ShardingAttr sharding = ShardingAttributes::get(value)) {
        write(dims, sharding, at);
      }
    };
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      for (Value result : op->getResults()) {
        seedValue(result, op);
      }
      for (Region &region : op->getRegions()) {
        for (BlockArgument argument : region.getArguments()) {
          seedValue(argument, op);
        }
      }
      if (auto reshard = dyn_cast<comm::ReshardOp>(op)) {
        write(dimensionsOf(reshard.getResult()), reshard.getTo(), op);
      }
    });
  }

  /// Callers before callees, so that what callers know of arguments meets what
  /// callees make of it before it meets what callers want of results.
  SmallVector<func::FuncOp> callersFirst() {
    llvm::SetVector<func::FuncOp> order;
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      if (function.isPublic()) {
        order.insert(function);
      }
    }
    for (size_t next = 0; next < order.size(); ++next) {
      func::FuncOp caller = order[next];
      caller.walk([&](func::CallOp call) {
        order.insert(module.lookupSymbol<func::FuncOp>(call.getCallee()));
      });
    }
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      order.insert(function);
    }
    return order.takeVector();
  }

  LogicalResult collectRules() {
    for (func::FuncOp function : callersFirst()) {
      if (failed(collectRules(function))) {
        return failure();
      }
    }
    return success();
  }

  // Operations inside linalg bodies and epilogues work on scalars.
  LogicalResult collectRules(func::FuncOp function) {
    WalkResult walk = function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op == function) {
        return WalkResult::advance();
      }
      FailureOr<ShardingRule> rule = getRule(op);
      if (failed(rule)) {
        return WalkResult::interrupt();
      }
      order.push_back(op);
      rules.push_back(std::move(*rule));
      ruleIndex[op] = rules.size() - 1;
      return isa<ExpertsOp>(op) ? WalkResult::advance() : WalkResult::skip();
    });
    return failure(walk.wasInterrupted());
  }

  /// Decides the undecided among dimensions that are one.
  void unify(ArrayRef<Site> sites) {
    Dimension *winner = nullptr;
    for (const Site &site : sites) {
      Dimension &dim = *site;
      if (dim.axes && (!winner || (dim.isWritten && !winner->isWritten))) {
        winner = &dim;
      }
    }
    if (!winner) {
      return;
    }
    for (const Site &site : sites) {
      if (!(*site).axes && isFree(*site.value, winner->axes)) {
        (*site).axes = winner->axes;
        changed = true;
      }
    }
  }

  /// Whether no dimension of a value is split over any of `axes`: no axis
  /// splits two dimensions, or a rank would hold a diagonal block.
  static bool isFree(const Dimensions &dims, AxisListAttr axes) {
    for (const Dimension &dim : dims) {
      for (AxisRefAttr taken :
           dim.axes ? dim.axes.getAxes() : ArrayRef<AxisRefAttr>()) {
        if (llvm::any_of(axes.getAxes(), [&](AxisRefAttr axis) {
              return axis.overlaps(taken);
            })) {
          return false;
        }
      }
    }
    return true;
  }

  void link(Dimensions &a, Dimensions &b) {
    for (size_t dim = 0; dim < a.size(); ++dim) {
      unify({Site{&a, dim}, Site{&b, dim}});
    }
  }

  void visit(Operation *op) {
    if (auto call = dyn_cast<func::CallOp>(op)) {
      auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
      if (!callee.isDeclaration()) {
        linkCall(call, callee);
        return;
      }
    }
    if (isa<func::ReturnOp>(op)) {
      auto function = op->getParentOfType<func::FuncOp>();
      for (OpOperand &operand : op->getOpOperands()) {
        linkTo(operand.get(), [&]() -> Dimensions & {
          return dimensionsOf(function, operand.getOperandNumber());
        });
      }
      return;
    }
    const ShardingRule &rule = rules[ruleIndex[op]];
    SmallVector<SmallVector<Site>> byFactor(rule.factors.size());
    // Entries of `values` do not move once every value has one.
    for (const ShardingRule::Participant &one : rule.participants) {
      Dimensions &dims = dimensionsOf(one.value);
      for (auto [dim, factor] : llvm::enumerate(one.factors)) {
        if (factor != ShardingRule::whole) {
          byFactor[factor].push_back({&dims, dim});
        }
      }
    }
    for (ArrayRef<Site> sites : byFactor) {
      unify(sites);
    }
  }

  template <typename GetT> void linkTo(Value value, GetT get) {
    if (isa<ShapedType>(value.getType())) {
      link(dimensionsOf(value), get());
    }
  }

  void linkCall(func::CallOp call, func::FuncOp callee) {
    for (OpOperand &operand : call->getOpOperands()) {
      BlockArgument argument = callee.getArgument(operand.getOperandNumber());
      linkTo(operand.get(),
             [&]() -> Dimensions & { return dimensionsOf(argument); });
    }
    for (OpResult result : call->getResults()) {
      linkTo(result, [&]() -> Dimensions & {
        return dimensionsOf(callee, result.getResultNumber());
      });
    }
  }

  ShardingAttr toSharding(const Dimensions &dims, FlatSymbolRefAttr mesh) {
    MLIRContext *context = module.getContext();
    SmallVector<AxisListAttr> axes;
    for (const Dimension &dim : dims) {
      axes.push_back(dim.axes ? dim.axes : AxisListAttr::get(context, {}));
    }
    return ShardingAttr::get(context, mesh, axes);
  }

  ModuleOp module;
  comm::MeshOp mesh;
  LogicalResult status = success();
  llvm::MapVector<Value, Dimensions> values;
  llvm::MapVector<std::pair<Operation *, unsigned>, Dimensions> functionResults;
  SmallVector<Operation *> order;
  SmallVector<ShardingRule> rules;
  DenseMap<Operation *, size_t> ruleIndex;
  bool changed = false;
};

struct PropagateShardingPass
    : public mlir::moe::impl::PropagateShardingPassBase<PropagateShardingPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    comm::MeshOp mesh = findModuleMesh(module);
    if (!mesh) {
      return signalPassFailure();
    }
    Propagation propagation(module, mesh);
    if (failed(propagation.run())) {
      return signalPassFailure();
    }
    propagation.write(FlatSymbolRefAttr::get(mesh.getSymNameAttr()));
  }
};
} // namespace
