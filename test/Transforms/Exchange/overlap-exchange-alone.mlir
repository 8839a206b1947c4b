// RUN: moe-opt %s --moe-overlap-exchange | FileCheck %s

// A module without any operation of the moe dialect.
comm.mesh @mesh <["ep"=3]>
// CHECK: comm.start
// CHECK-NEXT: moe.phase shared
// CHECK-NEXT: linalg.fill
func.func @fill(%v: f32, %y: tensor<?x5xf32>, %a: tensor<?x11xf32>, %s: tensor<?xi32>, %r: tensor<?xi32>, %space: tensor<?x11xf32>) -> (tensor<?x11xf32>, tensor<?x5xf32>) {
  %b = comm.all_to_all_v %a by %s into %space by %r over {"ep"} of @mesh : (tensor<?x11xf32>, tensor<?xi32>, tensor<?x11xf32>, tensor<?xi32>) -> tensor<?x11xf32>
  %e = linalg.fill ins(%v : f32) outs(%y : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %b, %e : tensor<?x11xf32>, tensor<?x5xf32>
}
