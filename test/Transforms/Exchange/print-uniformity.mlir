// RUN: moe-opt %s --comm-print-uniformity | FileCheck %s
// RUN: not moe-opt %s --comm-print-uniformity="output=%t/none/x" -o /dev/null 2>&1 | FileCheck %s --check-prefix=FILE

// FILE: x: error: No such file or directory

comm.mesh @mesh <["dp"=2, "ep"=4]>

// CHECK: @values
// CHECK-NEXT:   %arg0 varies over {"dp","ep"}
// CHECK-NEXT:   %arg1 is uniform
func.func @values(%x: tensor<8x3xf32>, %tokens: index {comm.varies_over = #comm.axes<{}>}, %c: i1 {comm.varies_over = #comm.axes<{"dp"}>}) {
  // CHECK-NEXT: %arg2 varies over {"dp"}
  // CHECK-NEXT: %0 varies over {"ep"} (comm.rank)
  %r = comm.rank over {"ep"} of @mesh
  // CHECK-NEXT: %1 varies over {"ep"} (comm.local_extent)
  %n = comm.local_extent %tokens over {"ep"} of @mesh
  // CHECK-NEXT: %2 varies over {"ep"}, extents over {"ep"} (tensor.empty)
  %e = tensor.empty(%n) : tensor<?x3xf32>
  // CHECK-NEXT: %3 is unwritten (tensor.empty)
  %y = tensor.empty() : tensor<8x3xf32>
  // CHECK-NEXT: %4 varies over {"dp"} (comm.all_reduce)
  %s = comm.all_reduce sum %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  // CHECK-NEXT: %5 varies over {"dp","ep"} (comm.all_to_all)
  %t = comm.all_to_all %s into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  // CHECK-NEXT: %6 is uniform (comm.shard_offsets)
  %o = comm.shard_offsets %tokens over {"ep"} of @mesh : (index) -> tensor<5xi32>
  // CHECK-NEXT: %7 varies over {"dp","ep"} (scf.if)
  %i = scf.if %c -> index {
    scf.yield %r : index
  } else {
    scf.yield %tokens : index
  }
  return
}
