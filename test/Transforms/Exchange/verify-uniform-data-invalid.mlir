// RUN: moe-opt %s --split-input-file --comm-verify-uniform --verify-diagnostics -o /dev/null

// Where collectives are, and what they move.

// C2
comm.mesh @mesh <["ep"=4]>
func.func @in_parallel_loop(%n: index {comm.varies_over = #comm.axes<{}>}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{but it is in 'scf.parallel'}}
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    // expected-error @below {{expected to be in functions, branches and loops only, whose order is known}}
    comm.barrier over {"ep"} of @mesh
    scf.reduce
  }
  return
}

// -----

// C2
comm.mesh @mesh <["ep"=4]>
func.func @in_generated_tensor(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: index) -> tensor<?xf32> {
  // expected-note @below {{but it is in 'tensor.generate'}}
  %r = tensor.generate %n {
  ^bb0(%i: index):
    // expected-error @below {{expected to be in functions, branches and loops only, whose order is known}}
    %s = comm.all_reduce sum %x into %y over {"ep"} of @mesh : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %v = tensor.extract %s[%i] : tensor<4xf32>
    tensor.yield %v : f32
  } : tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

// C3
comm.mesh @mesh <["ep"=4]>
func.func @sources_of_other_extents(%tokens: index {comm.varies_over = #comm.axes<{}>}, %v: f32) {
  // expected-note @below {{'comm.local_extent' varies over {"ep"}}}
  %n = comm.local_extent %tokens over {"ep"} of @mesh
  %e = tensor.empty(%n) : tensor<?x3xf32>
  %x = linalg.fill ins(%v : f32) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  %y = tensor.empty(%tokens) : tensor<?x3xf32>
  // expected-error @below {{expected a source of equal extents on all ranks over {"ep"}, but got one that varies over {"ep"}}}
  %s = comm.all_gather %x into %y over {"ep"} of @mesh : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  return
}

// -----

// C3
comm.mesh @mesh <["ep"=4]>
func.func @destinations_of_other_extents(%x: tensor<2x3xf32>, %tokens: index {comm.varies_over = #comm.axes<{}>}) {
  // expected-note @below {{'comm.local_extent' varies over {"ep"}}}
  %n = comm.local_extent %tokens over {"ep"} of @mesh
  %y = tensor.empty(%n) : tensor<?x3xf32>
  // expected-error @below {{expected a destination of equal extents on all ranks over {"ep"}, but got one that varies over {"ep"}}}
  %s = comm.all_gather %x into %y over {"ep"} of @mesh : (tensor<2x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  return
}

// -----

// C3
comm.mesh @mesh <["ep"=4]>
func.func @offsets_of_one_rank(%x: tensor<?x3xf32>, %y: tensor<?x3xf32>, %tokens: index {comm.varies_over = #comm.axes<{}>}) {
  // expected-note @below {{'comm.local_extent' varies over {"ep"}}}
  %n = comm.local_extent %tokens over {"ep"} of @mesh
  %o = comm.shard_offsets %n over {"ep"} of @mesh : (index) -> tensor<5xi32>
  // expected-error @below {{expected equal offsets on all ranks over {"ep"}, but got one that varies over {"ep"}}}
  %s = comm.all_gather_v %x into %y by %o over {"ep"} of @mesh : (tensor<?x3xf32>, tensor<?x3xf32>, tensor<5xi32>) -> tensor<?x3xf32>
  return
}

// -----

// C4
comm.mesh @mesh <["ep"=4, "etp"=2]>
// expected-note @below {{argument 0 varies over {"etp"}}}
func.func @gathered_over_another_axis(%x: tensor<2x3xf32> {comm.varies_over = #comm.axes<{"etp"}>}) -> (tensor<4x3xf32> {comm.varies_over = #comm.axes<{}>}) {
  %e = tensor.empty() : tensor<8x3xf32>
  %g = comm.all_gather %x into %e over {"ep"} of @mesh : (tensor<2x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  %h = tensor.extract_slice %g[0, 0] [4, 3] [1, 1] : tensor<8x3xf32> to tensor<4x3xf32>
  // expected-error @below {{expected result 0 of 'gathered_over_another_axis' to vary over {} at most, but it also varies over {"etp"}}}
  return %h : tensor<4x3xf32>
}

// -----

// C4
comm.mesh @mesh <["ep"=4]>
func.func @never_written(%x: tensor<2x3xf32>) -> (tensor<2x3xf32> {comm.varies_over = #comm.axes<{"ep"}>}) {
  // expected-note @below {{nothing writes this before it is read}}
  %e = tensor.empty() : tensor<2x3xf32>
  %s = arith.addf %x, %e : tensor<2x3xf32>
  // expected-error @below {{expected result 0 of 'never_written' to be made of what was written}}
  return %s : tensor<2x3xf32>
}

// -----

// C6
comm.mesh @mesh <["ep"=4]>
// expected-note @below {{argument 0 varies over {"ep"}}}
func.func @part_of_a_part(%x: tensor<8x3xf32> {comm.varies_over = #comm.axes<{"ep"}>}) {
  %c8 = arith.constant 8 : index
  // expected-note @below {{the share begins here}}
  %o = comm.local_offset %c8 over {"ep"} of @mesh
  // expected-error @below {{expected a source that all ranks over {"ep"} share out, but it varies over {"ep"}}}
  %s = tensor.extract_slice %x[%o, 0] [2, 3] [1, 1] : tensor<8x3xf32> to tensor<2x3xf32>
  return
}
