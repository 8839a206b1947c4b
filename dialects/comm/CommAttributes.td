// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_ATTRIBUTES
#define COMM_ATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "comm/CommDialect.td"

class Comm_Attr<string name, string attrMnemonic> : AttrDef<Comm_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Comm_TierAttr : Comm_Attr<"Tier", "tier"> {
  let summary = "one level of a cluster's network";
  let description = [{
    `name: size x bandwidth GB/s latency us`. `size` parts meet at this tier;
    `bandwidth` is what one device can send over it in one direction.
  }];
  let parameters = (ins "::mlir::StringAttr":$name, "int64_t":$size,
                        "::mlir::FloatAttr":$gigabytesPerSecond,
                        "::mlir::FloatAttr":$latencyMicroseconds);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Comm_MeshAxisAttr : Comm_Attr<"MeshAxis", "axis"> {
  let summary = "a named axis of a mesh and its size";
  let parameters = (ins "::mlir::StringAttr":$name, "int64_t":$size);
  let hasCustomAssemblyFormat = 1;
}

def Comm_AxisRefAttr : Comm_Attr<"AxisRef", "axis_ref"> {
  let summary = "a mesh axis, or a part of one";
  let description = [{
    `"ep"` is the whole axis. `"ep":(2)4` is the sub-axis of size 4 whose index
    within the axis is `(coordinate / (size(ep) / (2 * 4))) mod 4`: the axis is
    read as 2 x 4 x rest, major to minor.
  }];
  let parameters = (ins "::mlir::StringAttr":$name, "int64_t":$preSize,
                        "int64_t":$size);
  let hasCustomAssemblyFormat = 1;
  let builders = [AttrBuilder<(ins "::llvm::StringRef":$name)>];
  let extraClassDeclaration = [{
    /// Whether only a part of the axis is meant.
    bool isSubAxis() const { return getSize() != 0; }
    /// Whether two axes, or parts of axes, are not independent: ranks cannot be
    /// split over the one and each part over the other.
    bool overlaps(AxisRefAttr other) const;
  }];
}

def Comm_AxisListAttr : Comm_Attr<"AxisList", "axes"> {
  let summary = "an ordered list of axes, major to minor";
  let parameters = (ins OptionalArrayRefParameter<"AxisRefAttr">:$axes);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    bool empty() const { return getAxes().empty(); }
  }];
}

def Comm_ShardingAttr : Comm_Attr<"Sharding", "sharding"> {
  let summary = "how a value is spread over a mesh, dimension by dimension";
  let description = [{
    `#comm.sharding<@mesh, [{"dp","ep"}, {} ]>`: dimension 0 is split over axis
    `dp`, each part of it over `ep`; dimension 1 is whole on every rank. Of T
    rows over n ranks the first T mod n ranks hold one more.
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$mesh,
                        OptionalArrayRefParameter<"AxisListAttr">:$dims);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// Whether every dimension is whole on every rank.
    bool isReplicated() const;
  }];
}

class Comm_I32Enum<string name, string summary, list<I32EnumCase> cases>
    : I32Enum<name, summary, cases> {
  let cppNamespace = "::mlir::comm";
}

def Comm_CollectiveKind : Comm_I32Enum<"CollectiveKind", "a collective", [
    I32EnumCase<"AllToAllV", 0, "all_to_all_v">,
    I32EnumCase<"AllToAll", 1, "all_to_all">,
    I32EnumCase<"AllGather", 2, "all_gather">,
    I32EnumCase<"AllGatherV", 3, "all_gather_v">,
    I32EnumCase<"ReduceScatter", 4, "reduce_scatter">,
    I32EnumCase<"AllReduce", 5, "all_reduce">]>;
def Comm_CollectiveKindAttr : EnumAttr<Comm_Dialect, Comm_CollectiveKind, "kind">;

def Comm_ReductionKind : Comm_I32Enum<"ReductionKind", "a reduction", [
    I32EnumCase<"Sum", 0, "sum">, I32EnumCase<"Max", 1, "max">,
    I32EnumCase<"Min", 2, "min">]>;
def Comm_ReductionKindAttr : EnumAttr<Comm_Dialect, Comm_ReductionKind, "reduction">;

#endif // COMM_ATTRIBUTES
