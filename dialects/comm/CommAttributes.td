// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_ATTRIBUTES
#define COMM_ATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "comm/CommDialect.td"

class Comm_Attr<string name, string attrMnemonic> : AttrDef<Comm_Dialect, name> {
  let mnemonic = attrMnemonic;
}

class Comm_I32Enum<string name, string summary, list<I32EnumCase> cases>
    : I32Enum<name, summary, cases> {
  let cppNamespace = "::mlir::comm";
}

def Comm_TierShape : Comm_I32Enum<"TierShape", "how the parts of a tier are joined", [
    I32EnumCase<"Switch", 0, "switch">, I32EnumCase<"Ring", 1, "ring">,
    I32EnumCase<"FullyConnected", 2, "fully_connected">]>;

def Comm_TierAttr : Comm_Attr<"Tier", "tier"> {
  let summary = "one level of a cluster's network";
  let description = [{
    `name: size x bandwidth GB/s latency us [shared_by devices] [shape]`. `size`
    parts meet at this tier; `bandwidth` is what one device can send over one of
    its links of it in one direction. Consecutive `devices` share that. Without
    a shape the parts meet in a switch; in a `ring` and a `fully_connected` tier
    they are linked device by device.
  }];
  let parameters = (ins "::mlir::StringAttr":$name, "int64_t":$size,
                        "::mlir::FloatAttr":$gigabytesPerSecond,
                        "::mlir::FloatAttr":$latencyMicroseconds,
                        "int64_t":$sharedBy, "::mlir::comm::TierShape":$shape);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Comm_VertexKind : Comm_I32Enum<"VertexKind", "what is inside a node", [
    I32EnumCase<"GPU", 0, "gpu">, I32EnumCase<"CPU", 1, "cpu">,
    I32EnumCase<"PCIeSwitch", 2, "pcie_switch">, I32EnumCase<"NVSwitch", 3, "nvswitch">,
    I32EnumCase<"Adapter", 4, "adapter">, I32EnumCase<"NIC", 5, "nic">]>;

def Comm_VertexAttr : Comm_Attr<"Vertex", "vertex"> {
  let summary = "a GPU, NIC, switch or CPU of a node";
  let description = [{
    `name: kind [bus "…"] [model "…"] [numa domain] [host number] [speed rate GB/s]
    [indirect]`. A `cpu` is a NUMA domain, an `adapter` a card with several
    NICs, a `nic` one port of the network with its speed. Vertices of several
    hosts may form one node where NVLink joins them. What is `indirect` reaches
    NICs or GPUs only through a CPU.
  }];
  let parameters = (ins "::mlir::StringAttr":$name, "::mlir::comm::VertexKind":$kind,
                        OptionalParameter<"::mlir::StringAttr">:$bus,
                        OptionalParameter<"::mlir::StringAttr">:$model,
                        OptionalParameter<"::mlir::IntegerAttr">:$numa,
                        "int64_t":$host,
                        OptionalParameter<"::mlir::FloatAttr">:$gigabytesPerSecond,
                        "bool":$indirect);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Comm_LinkKind : Comm_I32Enum<"LinkKind", "what a link is made of", [
    I32EnumCase<"Local", 0, "local">, I32EnumCase<"NVLink", 1, "nvlink">,
    I32EnumCase<"C2C", 2, "c2c">, I32EnumCase<"PCIe", 3, "pcie">,
    I32EnumCase<"Socket", 4, "socket">]>;

def Comm_LinkAttr : Comm_Attr<"Link", "link"> {
  let summary = "a link between two vertices of a node, both ways";
  let description = [{
    `a to b: kind bandwidth GB/s [back bandwidth GB/s]`; without `back` both
    ways are as fast. `nvlink` is xGMI too, `socket` joins CPUs, `local` never
    bounds a path.
  }];
  let parameters = (ins "::mlir::StringAttr":$from, "::mlir::StringAttr":$to,
                        "::mlir::comm::LinkKind":$kind,
                        "::mlir::FloatAttr":$gigabytesPerSecond,
                        "::mlir::FloatAttr":$backGigabytesPerSecond);
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
