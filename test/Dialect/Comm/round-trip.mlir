// RUN: moe-opt %s --split-input-file --verify-roundtrip | FileCheck %s

// CHECK: comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]
comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]
// CHECK: comm.topology @shapes tiers [ring: 4 x 50.0 GB/s 5.0 us shared_by 2 ring, all: 2 x 370.8 GB/s 1.5 us fully_connected]
comm.topology @shapes tiers [ring: 4 x 50.0 GB/s 5.0 us shared_by 2 ring, all: 2 x 370.8 GB/s 1.5 us fully_connected]
// CHECK:      comm.topology @box tiers [a: 2 x 24.0 GB/s 5.7 us] node [
// CHECK-NEXT:   gpu0: gpu bus "0000:01:00.0" model "L40" numa 1 host 2 indirect,
// CHECK-NEXT:   gpu1: gpu,
// CHECK-NEXT:   nic0: nic model "mlx5_0" speed 25.0 GB/s,
// CHECK-NEXT:   cpu0: cpu numa -1
// CHECK-NEXT: ] links [
// CHECK-NEXT:   gpu0 to cpu0: pcie 24.0 GB/s back 12.5 GB/s,
// CHECK-NEXT:   gpu1 to cpu0: c2c 400.0 GB/s,
// CHECK-NEXT:   nic0 to cpu0: local 5000.0 GB/s
// CHECK-NEXT: ] assumed [
// CHECK-NEXT:   "one",
// CHECK-NEXT:   "a \22two\22"
// CHECK-NEXT: ] {note = "kept"}
comm.topology @box tiers [a: 2 x 24.0 GB/s 5.7 us]
  node [gpu0: gpu bus "0000:01:00.0" model "L40" numa 1 host 2 indirect, gpu1: gpu, nic0: nic model "mlx5_0" speed 25.0 GB/s, cpu0: cpu numa -1]
  links [gpu0 to cpu0: pcie 24.0 GB/s back 12.5 GB/s, gpu1 to cpu0: c2c 400.0 GB/s back 400.0 GB/s, nic0 to cpu0: local 5000.0 GB/s]
  assumed ["one", "a \22two\22"] {note = "kept"}
// CHECK: comm.mesh @mesh <["dp"=2, "ep"=4]> on @cluster order [7, 6, 5, 4, 3, 2, 1, 0]
comm.mesh @mesh <["dp"=2, "ep"=4]> on @cluster order [7, 6, 5, 4, 3, 2, 1, 0]

// A sub-axis is a part of an axis; no axes at all is a list too.
// CHECK-LABEL: @reshard_sub_axis
func.func @reshard_sub_axis(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK: comm.reshard %{{.*}} from <@mesh, [{"dp","ep":(2)2}, {}]> to <@mesh, [{}, {"ep":(1)2}]> : tensor<?x64xf32>
  %y = comm.reshard %x from <@mesh, [{"dp","ep":(2)2}, {}]> to <@mesh, [{}, {"ep":(1)2}]> : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: @resharded
func.func @resharded(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>, %n: index) {
  // CHECK: comm.resharded %{{.*}} as %{{.*}} from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x64xf32> for %{{.*}} tokens : (tensor<?x64xf32>, tensor<?x64xf32>, index) -> ()
  comm.resharded %x as %y from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x64xf32> for %n tokens : (tensor<?x64xf32>, tensor<?x64xf32>, index) -> ()
  return
}

// CHECK-LABEL: @argument_and_result
// CHECK-SAME: comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>
func.func @argument_and_result(%x: tensor<?x64xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}) {
  return
}

// CHECK-LABEL: @queries
func.func @queries(%n: index, %m: memref<9xi32>) {
  // CHECK: comm.rank over {"dp","ep"} of @mesh
  %r = comm.rank over {"dp","ep"} of @mesh
  // CHECK: comm.local_extent %{{.*}} over {"ep"} of @mesh
  %e = comm.local_extent %n over {"ep"} of @mesh
  // CHECK: comm.local_offset %{{.*}} over {"ep"} of @mesh
  %o = comm.local_offset %n over {"ep"} of @mesh
  // CHECK: comm.shard_offsets %{{.*}} over {"dp","ep"} of @mesh : (index) -> tensor<9xi32>
  %s = comm.shard_offsets %n over {"dp","ep"} of @mesh : (index) -> tensor<9xi32>
  // CHECK: comm.shard_offsets %{{.*}} into %{{.*}} over {"dp","ep"} of @mesh : (index, memref<9xi32>) -> ()
  comm.shard_offsets %n into %m over {"dp","ep"} of @mesh : (index, memref<9xi32>) -> ()
  return
}

// On tensors a collective returns its destination, on buffers nothing.
// CHECK-LABEL: @collectives_on_buffers
func.func @collectives_on_buffers(%x: memref<?x3xf32>, %y: memref<?x3xf32>, %o: memref<5xi32>) {
  // CHECK: comm.all_to_all_v %{{.*}} by %{{.*}} into %{{.*}} by %{{.*}} over {"ep"} of @mesh : (memref<?x3xf32>, memref<5xi32>, memref<?x3xf32>, memref<5xi32>) -> ()
  comm.all_to_all_v %x by %o into %y by %o over {"ep"} of @mesh
    : (memref<?x3xf32>, memref<5xi32>, memref<?x3xf32>, memref<5xi32>) -> ()
  // CHECK: comm.all_to_all %
  comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>) -> ()
  // CHECK: comm.all_gather %
  comm.all_gather %x into %y over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>) -> ()
  // CHECK: comm.all_gather_v %
  comm.all_gather_v %x into %y by %o over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>, memref<5xi32>) -> ()
  // CHECK: comm.reduce_scatter max %
  comm.reduce_scatter max %x into %y over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>) -> ()
  // CHECK: comm.all_reduce min %
  comm.all_reduce min %x into %y over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>) -> ()
  // CHECK: comm.barrier over {"dp","ep"} of @mesh
  comm.barrier over {"dp","ep"} of @mesh
  // CHECK: %[[PENDING:.*]] = comm.start all_reduce with sum %{{.*}} into %{{.*}} over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>) -> !comm.pending
  %p = comm.start all_reduce with sum %x into %y over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>) -> !comm.pending
  // CHECK: comm.wait %[[PENDING]] reads %{{.*}} into %{{.*}} : (!comm.pending, memref<?x3xf32>, memref<?x3xf32>) -> ()
  comm.wait %p reads %x into %y : (!comm.pending, memref<?x3xf32>, memref<?x3xf32>) -> ()
  return
}

// CHECK-LABEL: @bounds
func.func @bounds(%o: tensor<?xi32>, %c: memref<4x2xi32>) -> index {
  // CHECK: comm.host_extent %{{.*}} bound(4096) : tensor<?xi32>
  %n = comm.host_extent %o bound(4096) : tensor<?xi32>
  // CHECK: comm.check_bound %{{.*}} bound(4096) : (memref<4x2xi32>) -> ()
  comm.check_bound %c bound(4096) : (memref<4x2xi32>) -> ()
  // CHECK: %{{.*}}, %{{.*}} = comm.fault_words : memref<3xi64>, i64
  %words, %number = comm.fault_words : memref<3xi64>, i64
  return %n : index
}
