// RUN: moe-opt %s --verify-roundtrip | FileCheck %s
// RUN: moe-opt %s --emit-bytecode -o %t.mlirbc && moe-opt %t.mlirbc | FileCheck %s

comm.mesh @mesh <["ep"=4, "etp"=2]>

// CHECK: moe.placement @shared experts 4 over {"ep"} of @mesh slots {{\[\[}}0, 1], [2, 0], [3, 1], [0]] replicas [
// CHECK-NEXT: {{^ *}}0: [on 0 from 0, on 3 from 1 class 40, on 1 from 3],
// CHECK-NEXT: {{^ *}}1: [on 2 from 0]
// CHECK-NEXT: ] policy "joint"
moe.placement @shared experts 4 over {"ep"} of @mesh slots [[0, 1], [2, 0], [3, 1], [0]]
  replicas [0: [on 0 from 0, on 3 from 1 class 40, on 1 from 3 class 0], 1: [on 2 from 0]] policy "joint"

// CHECK: test.table = #moe.replica_table<5: [on 0 from 0, on 2 from 1 class 32]>
module @tables attributes {test.table = #moe.replica_table<5: [on 0 from 0, on 2 from 1 class 32]>} {}
