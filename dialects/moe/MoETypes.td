// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TYPES
#define MOE_TYPES

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "moe/MoEDialect.td"

class MoE_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<MoE_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def MoE_WeightsType : MoE_Type<"Weights", "weights", [ShapedTypeInterface]> {
  let summary = "the matrices of the experts in some slots";
  let description = [{
    `!moe.weights<slots x K x N x dtype>`: one K x N matrix a slot, to be
    multiplied from the right. A handle: in code it is a table of one pointer a
    slot; the target chooses the packing. Before partitioning a slot is an
    expert of the model. Extents are positive; the dtype is f32, bf16, f16 or
    an 8-bit float.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getSlots() const { return getShape()[0]; }
    /// Rows of a matrix: what is summed over.
    int64_t getInner() const { return getShape()[1]; }
    /// Columns of a matrix.
    int64_t getOuter() const { return getShape()[2]; }
    bool hasRank() const { return true; }
    ::mlir::ShapedType cloneWith(std::optional<::llvm::ArrayRef<int64_t>> shape,
                                 ::mlir::Type elementType) const;
  }];
}

def MoE_PlacementRefType : MoE_Type<"PlacementRef", "placement_ref"> {
  let summary = "where the experts of a layer live";
  let description = [{
    `!moe.placement_ref<8 experts>`. A handle: in code it is this rank's slice
    of the placement's tables, given at run time.
  }];
  let parameters = (ins "int64_t":$experts);
  let genVerifyDecl = 1;
  let assemblyFormat = "`<` $experts `experts` `>`";
}

def MoE_LayoutType : MoE_Type<"Layout", "layout"> {
  let summary = "how one assignment's rows travel";
  let description = [{
    What `moe.dispatch_layout` makes and `moe.dispatch` and `moe.combine` share:
    the order of the rows that are sent, how many go to which slot, how many
    arrive. `slots` counts the slots of a rank.
  }];
  let parameters = (ins "int64_t":$ranks, "int64_t":$slots);
  let genVerifyDecl = 1;
  let assemblyFormat = "`<` $ranks `ranks` `x` $slots `slots` `>`";
}

#endif // MOE_TYPES
