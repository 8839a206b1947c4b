// A model by hand: three layers of experts, of two kinds, a dense FFN between
// them, residuals, and two functions that the caller brings. `@blend` works
// token by token, `@running_mean` needs all tokens together: each says so by
// its rule, and nothing else is known of them.

#rows = affine_map<(t, c) -> (t, c)>
#stored_a = affine_map<(t, n, k) -> (t, k)>
#stored_b = affine_map<(t, n, k) -> (n, k)>
#stored_c = affine_map<(t, n, k) -> (t, n)>

module @three_layers attributes {moe.dtype = f32, moe.max_tokens = 80 : i64} {
  moe.weight @r0 "layers.0.router.weight" : tensor<8x24xf32>
  moe.weight @u0 "layers.0.experts.{e}.up.weight" : !moe.weights<8x24x20xf32>
  moe.weight @d0 "layers.0.experts.{e}.down.weight" : !moe.weights<8x20x24xf32>
  moe.weight @r1 "layers.1.router.weight" : tensor<6x24xf32>
  moe.weight @w1 "layers.1.experts.{e}.weight" : !moe.weights<6x24x24xf32>
  moe.weight @dense_up "layers.1.dense.up.weight" : tensor<40x24xf32>
  moe.weight @dense_down "layers.1.dense.down.weight" : tensor<24x40xf32>
  moe.weight @r2 "layers.2.router.weight" : tensor<8x24xf32>
  moe.weight @u2 "layers.2.experts.{e}.up.weight" : !moe.weights<8x24x20xf32>
  moe.weight @d2 "layers.2.experts.{e}.down.weight" : !moe.weights<8x20x24xf32>

  func.func private @blend(tensor<?x24xf32>, tensor<?x24xf32>) -> tensor<?x24xf32>
      attributes {comm.sharding_rule = [[0, -1], [0, -1], [0, -1]]}
  func.func private @running_mean(tensor<?x24xf32>) -> tensor<?x24xf32>
      attributes {comm.sharding_rule = [[-1, -1], [-1, -1]]}

  // Two matrices and a ReLU, the best two of eight.
  func.func private @pair_block(%x: tensor<?x24xf32>, %router: tensor<8x24xf32>, %up: !moe.weights<8x24x20xf32>, %down: !moe.weights<8x20x24xf32>, %placement: !moe.placement_ref<8 experts>) -> tensor<?x24xf32> {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %tokens = tensor.dim %x, %c0 : tensor<?x24xf32>
    %space = tensor.empty(%tokens) : tensor<?x8xf32>
    %start = linalg.fill ins(%zero : f32) outs(%space : tensor<?x8xf32>) -> tensor<?x8xf32>
    %logits = linalg.matmul indexing_maps = [#stored_a, #stored_b, #stored_c]
        ins(%x, %router : tensor<?x24xf32>, tensor<8x24xf32>) outs(%start : tensor<?x8xf32>) -> tensor<?x8xf32>
    %scores = moe.score softmax %logits : (tensor<?x8xf32>) -> tensor<?x8xf32>
    %expert, %score = moe.select top_k 2 %scores : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    %weight = moe.weigh sum %score : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %y = moe.experts %x routed by %expert weighted by %weight placed by %placement
        : (tensor<?x24xf32>, tensor<?x2xi32>, tensor<?x2xf32>, !moe.placement_ref<8 experts>) -> tensor<?x24xf32> {
    ^bb0(%rows: tensor<?x24xf32>, %offsets: tensor<?xi32>):
      %u = moe.grouped_matmul %rows by %up at %offsets : (tensor<?x24xf32>, !moe.weights<8x24x20xf32>, tensor<?xi32>) -> tensor<?x20xf32>
      %n = tensor.dim %rows, %c0 : tensor<?x24xf32>
      %wide = tensor.empty(%n) : tensor<?x20xf32>
      %h = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
          ins(%u : tensor<?x20xf32>) outs(%wide : tensor<?x20xf32>) {
      ^bb1(%a: f32, %out: f32):
        %floor = arith.constant 0.0 : f32
        %relu = arith.maximumf %a, %floor : f32
        linalg.yield %relu : f32
      } -> tensor<?x20xf32>
      %d = moe.grouped_matmul %h by %down at %offsets : (tensor<?x20xf32>, !moe.weights<8x20x24xf32>, tensor<?xi32>) -> tensor<?x24xf32>
      moe.yield %d : tensor<?x24xf32>
    }
    return %y : tensor<?x24xf32>
  }

  // One matrix, the best of six.
  func.func private @single_block(%x: tensor<?x24xf32>, %router: tensor<6x24xf32>, %matrix: !moe.weights<6x24x24xf32>, %placement: !moe.placement_ref<6 experts>) -> tensor<?x24xf32> {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %tokens = tensor.dim %x, %c0 : tensor<?x24xf32>
    %space = tensor.empty(%tokens) : tensor<?x6xf32>
    %start = linalg.fill ins(%zero : f32) outs(%space : tensor<?x6xf32>) -> tensor<?x6xf32>
    %logits = linalg.matmul indexing_maps = [#stored_a, #stored_b, #stored_c]
        ins(%x, %router : tensor<?x24xf32>, tensor<6x24xf32>) outs(%start : tensor<?x6xf32>) -> tensor<?x6xf32>
    %scores = moe.score sigmoid %logits : (tensor<?x6xf32>) -> tensor<?x6xf32>
    %expert, %score = moe.select top_k 1 %scores : (tensor<?x6xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>)
    %y = moe.experts %x routed by %expert weighted by %score placed by %placement
        : (tensor<?x24xf32>, tensor<?x1xi32>, tensor<?x1xf32>, !moe.placement_ref<6 experts>) -> tensor<?x24xf32> {
    ^bb0(%rows: tensor<?x24xf32>, %offsets: tensor<?xi32>):
      %d = moe.grouped_matmul %rows by %matrix at %offsets : (tensor<?x24xf32>, !moe.weights<6x24x24xf32>, tensor<?xi32>) -> tensor<?x24xf32>
      moe.yield %d : tensor<?x24xf32>
    }
    return %y : tensor<?x24xf32>
  }

  func.func private @dense_block(%x: tensor<?x24xf32>, %up: tensor<40x24xf32>, %down: tensor<24x40xf32>) -> tensor<?x24xf32> {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %tokens = tensor.dim %x, %c0 : tensor<?x24xf32>
    %wide = tensor.empty(%tokens) : tensor<?x40xf32>
    %wide0 = linalg.fill ins(%zero : f32) outs(%wide : tensor<?x40xf32>) -> tensor<?x40xf32>
    %u = linalg.matmul indexing_maps = [#stored_a, #stored_b, #stored_c]
        ins(%x, %up : tensor<?x24xf32>, tensor<40x24xf32>) outs(%wide0 : tensor<?x40xf32>) -> tensor<?x40xf32>
    %h = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
        ins(%u : tensor<?x40xf32>) outs(%wide : tensor<?x40xf32>) {
    ^bb0(%a: f32, %out: f32):
      %t = math.tanh %a : f32
      linalg.yield %t : f32
    } -> tensor<?x40xf32>
    %space = tensor.empty(%tokens) : tensor<?x24xf32>
    %start = linalg.fill ins(%zero : f32) outs(%space : tensor<?x24xf32>) -> tensor<?x24xf32>
    %d = linalg.matmul indexing_maps = [#stored_a, #stored_b, #stored_c]
        ins(%h, %down : tensor<?x40xf32>, tensor<24x40xf32>) outs(%start : tensor<?x24xf32>) -> tensor<?x24xf32>
    return %d : tensor<?x24xf32>
  }

  func.func private @residual(%x: tensor<?x24xf32>, %y: tensor<?x24xf32>) -> tensor<?x24xf32> {
    %c0 = arith.constant 0 : index
    %tokens = tensor.dim %x, %c0 : tensor<?x24xf32>
    %space = tensor.empty(%tokens) : tensor<?x24xf32>
    %sum = linalg.add ins(%x, %y : tensor<?x24xf32>, tensor<?x24xf32>) outs(%space : tensor<?x24xf32>) -> tensor<?x24xf32>
    return %sum : tensor<?x24xf32>
  }

  func.func @forward(%x: tensor<?x24xf32>) -> tensor<?x24xf32> {
    %r0 = moe.use_weight @r0 : tensor<8x24xf32>
    %u0 = moe.use_weight @u0 : !moe.weights<8x24x20xf32>
    %d0 = moe.use_weight @d0 : !moe.weights<8x20x24xf32>
    %p0 = moe.use_placement layer 0 : !moe.placement_ref<8 experts>
    %y0 = call @pair_block(%x, %r0, %u0, %d0, %p0) {moe.layer = 0 : i64} : (tensor<?x24xf32>, tensor<8x24xf32>, !moe.weights<8x24x20xf32>, !moe.weights<8x20x24xf32>, !moe.placement_ref<8 experts>) -> tensor<?x24xf32>
    %x1 = call @residual(%x, %y0) : (tensor<?x24xf32>, tensor<?x24xf32>) -> tensor<?x24xf32>

    %mean = call @running_mean(%x1) : (tensor<?x24xf32>) -> tensor<?x24xf32>
    %x2 = call @blend(%x1, %mean) : (tensor<?x24xf32>, tensor<?x24xf32>) -> tensor<?x24xf32>

    %r1 = moe.use_weight @r1 : tensor<6x24xf32>
    %w1 = moe.use_weight @w1 : !moe.weights<6x24x24xf32>
    %p1 = moe.use_placement layer 1 : !moe.placement_ref<6 experts>
    %y1 = call @single_block(%x2, %r1, %w1, %p1) {moe.layer = 1 : i64} : (tensor<?x24xf32>, tensor<6x24xf32>, !moe.weights<6x24x24xf32>, !moe.placement_ref<6 experts>) -> tensor<?x24xf32>
    %x3 = call @residual(%x2, %y1) : (tensor<?x24xf32>, tensor<?x24xf32>) -> tensor<?x24xf32>

    %up = moe.use_weight @dense_up : tensor<40x24xf32>
    %down = moe.use_weight @dense_down : tensor<24x40xf32>
    %z = call @dense_block(%x3, %up, %down) : (tensor<?x24xf32>, tensor<40x24xf32>, tensor<24x40xf32>) -> tensor<?x24xf32>
    %x4 = call @residual(%x3, %z) : (tensor<?x24xf32>, tensor<?x24xf32>) -> tensor<?x24xf32>

    %r2 = moe.use_weight @r2 : tensor<8x24xf32>
    %u2 = moe.use_weight @u2 : !moe.weights<8x24x20xf32>
    %d2 = moe.use_weight @d2 : !moe.weights<8x20x24xf32>
    %p2 = moe.use_placement layer 2 : !moe.placement_ref<8 experts>
    %y2 = call @pair_block(%x4, %r2, %u2, %d2, %p2) {moe.layer = 2 : i64} : (tensor<?x24xf32>, tensor<8x24xf32>, !moe.weights<8x24x20xf32>, !moe.weights<8x20x24xf32>, !moe.placement_ref<8 experts>) -> tensor<?x24xf32>
    %x5 = call @blend(%x4, %y2) : (tensor<?x24xf32>, tensor<?x24xf32>) -> tensor<?x24xf32>
    return %x5 : tensor<?x24xf32>
  }
}
