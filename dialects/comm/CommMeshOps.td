// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_MESH_OPS
#define COMM_MESH_OPS

include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "comm/CommAttributes.td"
include "comm/CommInterfaces.td"
include "comm/CommTypes.td"

class Comm_Op<string mnemonic, list<Trait> traits = []>
    : Op<Comm_Dialect, mnemonic, traits>;

def Comm_TopologyOp : Comm_Op<"topology", [Symbol]> {
  let summary = "the tiers of a cluster's network, and the inside of a node";
  let description = [{
    Names what connects the devices: each tier joins `size` parts of the next
    inner one. With `node` and `links`, the innermost tiers are the inside of a
    node, and all nodes are alike.

    Semantics: the device count is the product of the sizes; two devices talk
    over the outermost tier at which their positions differ. Without a node,
    device d is at position d. With one, its GPUs are the devices in the order
    given; bytes take the paths that NCCL finds over the links, and leave a node
    through its NICs. The tiers then sum up what the links say. `assumed` says
    what the description rests on that its source does not hold; reports repeat
    it.

    Lifespan: written by the user, by an importer or by `moe-attach-topology`;
    removed when the program is lowered to its target.

    Constraints:
    - C1: at least one tier.
    - C2: tier names are distinct.
    - C3: at most 2147483647 devices.
    - C4: `node` and `links` come together.
    - C5: the vertices of a node have distinct names, and at least one is a GPU.
    - C6: a link joins two vertices of the node.
    - C7: the sizes of the innermost tiers multiply to the number of GPUs.

    Example:
    ```mlir
    comm.topology @cluster tiers [net: 2 x 24.0 GB/s 14.0 us, host_bridge: 2 x 24.0 GB/s 5.7 us] node [
      gpu0: gpu bus "0000:01:00.0" model "L40",
      gpu1: gpu bus "0000:02:00.0" model "L40",
      nic0: nic model "mlx5_0" speed 25.0 GB/s,
      cpu0: cpu numa 0
    ] links [
      gpu0 to cpu0: pcie 24.0 GB/s,
      gpu1 to cpu0: pcie 24.0 GB/s,
      nic0 to cpu0: pcie 24.0 GB/s
    ] assumed [
      "latencies are NCCL's for its Simple protocol"
    ]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypedArrayAttrBase<Comm_TierAttr, "tiers">:$tiers,
                       OptionalAttr<TypedArrayAttrBase<Comm_VertexAttr, "vertices">>:$node,
                       OptionalAttr<TypedArrayAttrBase<Comm_LinkAttr, "links">>:$links,
                       OptionalAttr<StrArrayAttr>:$assumed);
  let assemblyFormat = [{
    $sym_name `tiers` custom<Tiers>($tiers) (`node` custom<Vertices>($node)^)?
    (`links` custom<Links>($links)^)? (`assumed` custom<Sentences>($assumed)^)?
    attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Product of the tier sizes.
    int64_t getDeviceCount();
    /// Whether the other operation describes the same cluster, whatever its
    /// name and assumptions.
    bool describesSame(::mlir::comm::TopologyOp other);
  }];
}

def Comm_MeshOp : Comm_Op<"mesh", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the devices as a grid of named axes";
  let description = [{
    Arranges the devices of a topology as a grid.

    Semantics: the rank of coordinates (c_0, …, c_n) is their row-major index;
    rank r runs on device `order[r]` (r itself without `order`).

    Lifespan: written by the user or by the planning pipeline;
    `moe-choose-mesh-mapping` adds `order`; removed when the program is lowered
    to its target.

    Constraints:
    - C1: at least one axis; axis names are distinct, sizes positive.
    - C2: the product of the sizes equals the device count of the topology.
    - C3: `order` is a permutation of the devices.
    - C4: at most 2147483647 ranks.

    Example:
    ```mlir
    comm.mesh @mesh <["dp"=2, "ep"=4]> on @cluster
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypedArrayAttrBase<Comm_MeshAxisAttr, "axes">:$axes,
                       OptionalAttr<FlatSymbolRefAttr>:$topology,
                       OptionalAttr<DenseI64ArrayAttr>:$order);
  let assemblyFormat = [{
    $sym_name custom<MeshAxes>($axes) (`on` $topology^)? (`order` $order^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Product of the axis sizes.
    int64_t getRankCount();
    /// Size of an axis or sub-axis; 0 when the mesh has no such axis.
    int64_t getAxisSize(::mlir::comm::AxisRefAttr axis);
    /// Product of the sizes of `axes`.
    int64_t getAxisListSize(::mlir::comm::AxisListAttr axes);
  }];
}

class Comm_MeshQueryOp<string mnemonic, list<Trait> traits = []>
    : Comm_Op<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<SymbolUserOpInterface>], traits)>;

// A query that ranks answer differently.
class Comm_RankQueryOp<string mnemonic>
    : Comm_MeshQueryOp<mnemonic, [Pure, Comm_RankDependentOpInterface]> {
  let extraClassDeclaration = [{
    ::mlir::comm::AxisListAttr getRankAxes() { return getAxesAttr(); }
  }];
}

def Comm_RankOp : Comm_RankQueryOp<"rank"> {
  let summary = "this rank's index over some axes";
  let description = [{
    Semantics: the row-major index of this rank's coordinates on `axes`.

    Lifespan: created by `moe-partition`; lowered with the collectives.

    Constraints:
    - C1: the mesh exists and has the axes.

    Example:
    ```mlir
    %r = comm.rank over {"ep"} of @mesh
    ```
  }];
  let arguments = (ins Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let results = (outs Index:$result);
  let assemblyFormat = "`over` custom<Axes>($axes) `of` $mesh attr-dict";
}

def Comm_LocalExtentOp : Comm_RankQueryOp<"local_extent"> {
  let summary = "how many of n rows this rank holds";
  let description = [{
    Semantics: with p = rank over `axes` and s their size:
    `extent / s + (p < extent mod s ? 1 : 0)`.

    Lifespan: created by `moe-partition`; lowered with the collectives.

    Constraints:
    - C1: the mesh exists and has the axes.

    Example:
    ```mlir
    %n = comm.local_extent %tokens over {"dp","ep"} of @mesh
    ```
  }];
  let arguments = (ins Index:$extent, Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let results = (outs Index:$result);
  let assemblyFormat = "$extent `over` custom<Axes>($axes) `of` $mesh attr-dict";
}

def Comm_LocalOffsetOp : Comm_RankQueryOp<"local_offset"> {
  let summary = "the first of n rows that this rank holds";
  let description = [{
    Semantics: with p = rank over `axes` and s their size:
    `p * (extent / s) + min(p, extent mod s)`.

    Lifespan: created by `moe-partition`; lowered with the collectives.

    Constraints:
    - C1: the mesh exists and has the axes.

    Example:
    ```mlir
    %t0 = comm.local_offset %tokens over {"dp","ep"} of @mesh
    ```
  }];
  let arguments = (ins Index:$extent, Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let results = (outs Index:$result);
  let assemblyFormat = "$extent `over` custom<Axes>($axes) `of` $mesh attr-dict";
}

def Comm_ShardOffsetsOp : Comm_MeshQueryOp<"shard_offsets",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "where each rank's share of n rows begins";
  let description = [{
    Semantics: `result[p]` is `comm.local_offset` of rank p for p in 0 … s, so
    the last entry is `extent`; s is the size of `axes`.

    Lifespan: created by `moe-partition` for ragged gathers; lowered with the
    collectives.

    Constraints:
    - C1: the mesh exists and has the axes.

    Example:
    ```mlir
    %o = comm.shard_offsets %tokens over {"dp","ep"} of @mesh : (index) -> tensor<9xi32>
    ```
  }];
  let arguments = (ins Index:$extent, Variadic<MemRefRankOf<[I32], [1]>>:$outs,
                       Comm_AxisListAttr:$axes, FlatSymbolRefAttr:$mesh);
  let results = (outs Variadic<1DTensorOf<[I32]>>:$results);
  let assemblyFormat = [{
    $extent (`into` $outs^)? `over` custom<Axes>($axes) `of` $mesh attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // COMM_MESH_OPS
