// RUN: moe-opt %s --comm-verify-uniform | FileCheck %s

// What varies, but not within the group, and what is equal again.

comm.mesh @mesh <["dp"=2, "ep"=4]>

// CHECK-LABEL: @condition_over_another_axis(
// CHECK: comm.all_reduce
func.func @condition_over_another_axis(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %r = comm.rank over {"dp"} of @mesh
  %first = arith.cmpi eq, %r, %c0 : index
  scf.if %first {
    %s = comm.all_reduce sum %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  }
  return
}

// CHECK-LABEL: @condition_reduced(
func.func @condition_reduced(%x: tensor<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %y = tensor.empty() : tensor<8x3xf32>
  %max = comm.all_reduce max %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  %v = tensor.extract %max[%c0, %c0] : tensor<8x3xf32>
  %more = arith.cmpf ogt, %v, %zero : f32
  scf.if %more {
    comm.barrier over {"ep"} of @mesh
  }
  return
}

// CHECK-LABEL: @paths_meet_before(
func.func @paths_meet_before(%x: tensor<8x3xf32>, %c: i1) {
  cf.cond_br %c, ^some, ^all
^some:
  cf.br ^all
^all:
  comm.barrier over {"ep"} of @mesh
  return
}

// CHECK-LABEL: @rows_vary_over_another_axis(
func.func @rows_vary_over_another_axis(%tokens: index {comm.varies_over = #comm.axes<{}>}, %v: f32) {
  %n = comm.local_extent %tokens over {"dp"} of @mesh
  %e = tensor.empty(%n) : tensor<1x?xf32>
  %x = linalg.fill ins(%v : f32) outs(%e : tensor<1x?xf32>) -> tensor<1x?xf32>
  %y = tensor.empty(%n) : tensor<4x?xf32>
  %s = comm.all_gather %x into %y over {"ep"} of @mesh : (tensor<1x?xf32>, tensor<4x?xf32>) -> tensor<4x?xf32>
  return
}

// CHECK-LABEL: @sub_axis_of_another(
func.func @sub_axis_of_another() {
  %c0 = arith.constant 0 : index
  %r = comm.rank over {"ep":(1)2} of @mesh
  %first = arith.cmpi eq, %r, %c0 : index
  scf.if %first {
    comm.barrier over {"ep":(2)2} of @mesh
  }
  return
}

// CHECK-LABEL: @condition_on_every_way_in(
func.func private @condition_on_every_way_in(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    comm.barrier over {"dp","ep"} of @mesh
  }
  return
}
func.func @calls(%tokens: index {comm.varies_over = #comm.axes<{}>}) {
  %c2 = arith.constant 2 : index
  call @condition_on_every_way_in(%tokens) : (index) -> ()
  call @condition_on_every_way_in(%c2) : (index) -> ()
  return
}
