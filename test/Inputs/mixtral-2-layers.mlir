// A Mixtral decoder of two layers, by hand: what the importer writes, small.
module attributes {moe.family = "mixtral", moe.dtype = bf16, moe.max_tokens = 96 : i64, moe.num_layers = 2 : i64} {
  moe.weight @layers.0.router "model.layers.0.block_sparse_moe.gate.weight" : tensor<6x16xbf16>
  moe.weight @layers.0.experts.gate "model.layers.0.block_sparse_moe.experts.{e}.w1.weight" : !moe.weights<6x16x12xbf16>
  moe.weight @layers.0.experts.up "model.layers.0.block_sparse_moe.experts.{e}.w3.weight" : !moe.weights<6x16x12xbf16>
  moe.weight @layers.0.experts.down "model.layers.0.block_sparse_moe.experts.{e}.w2.weight" : !moe.weights<6x12x16xbf16>
  moe.weight @layers.1.router "model.layers.1.block_sparse_moe.gate.weight" : tensor<6x16xbf16>
  moe.weight @layers.1.experts.gate "model.layers.1.block_sparse_moe.experts.{e}.w1.weight" : !moe.weights<6x16x12xbf16>
  moe.weight @layers.1.experts.up "model.layers.1.block_sparse_moe.experts.{e}.w3.weight" : !moe.weights<6x16x12xbf16>
  moe.weight @layers.1.experts.down "model.layers.1.block_sparse_moe.experts.{e}.w2.weight" : !moe.weights<6x12x16xbf16>

  func.func private @attention(tensor<?x16xbf16>) -> tensor<?x16xbf16> attributes {moe.role = "attention", comm.sharding_rule = [[0, -1], [0, -1]]}

  func.func private @moe_block(%x: tensor<?x16xbf16>, %router: tensor<6x16xbf16>, %gate: !moe.weights<6x16x12xbf16>, %up: !moe.weights<6x16x12xbf16>, %down: !moe.weights<6x12x16xbf16>, %placement: !moe.placement_ref<6 experts>) -> tensor<?x16xbf16> attributes {moe.role = "moe_block"} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %tokens = tensor.dim %x, %c0 : tensor<?x16xbf16>
    %0 = tensor.empty(%tokens) : tensor<?x6xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<?x6xf32>) -> tensor<?x6xf32>
    %logits = linalg.matmul
        indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        ins(%x, %router : tensor<?x16xbf16>, tensor<6x16xbf16>) outs(%1 : tensor<?x6xf32>) -> tensor<?x6xf32>
    %scores = moe.score softmax %logits : (tensor<?x6xf32>) -> tensor<?x6xf32>
    %expert, %score = moe.select top_k 2 %scores : (tensor<?x6xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    %weight = moe.weigh sum %score : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %sum = moe.experts %x routed by %expert weighted by %weight placed by %placement
        : (tensor<?x16xbf16>, tensor<?x2xi32>, tensor<?x2xf32>, !moe.placement_ref<6 experts>) -> tensor<?x16xf32> {
    ^bb0(%rows: tensor<?x16xbf16>, %offsets: tensor<?xi32>):
      %g = moe.grouped_matmul %rows by %gate at %offsets : (tensor<?x16xbf16>, !moe.weights<6x16x12xbf16>, tensor<?xi32>) -> tensor<?x12xf32>
      %u = moe.grouped_matmul %rows by %up at %offsets : (tensor<?x16xbf16>, !moe.weights<6x16x12xbf16>, tensor<?xi32>) -> tensor<?x12xf32>
      %n = tensor.dim %rows, %c0 : tensor<?x16xbf16>
      %2 = tensor.empty(%n) : tensor<?x12xbf16>
      %h = linalg.generic {indexing_maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r, c)>], iterator_types = ["parallel", "parallel"]}
          ins(%g, %u : tensor<?x12xf32>, tensor<?x12xf32>) outs(%2 : tensor<?x12xbf16>) {
      ^bb1(%a: f32, %b: f32, %out: bf16):
        %one = arith.constant 1.0 : f32
        %minus = arith.negf %a : f32
        %power = math.exp %minus : f32
        %below = arith.addf %one, %power : f32
        %silu = arith.divf %a, %below : f32
        %product = arith.mulf %silu, %b : f32
        %rounded = arith.truncf %product : f32 to bf16
        linalg.yield %rounded : bf16
      } -> tensor<?x12xbf16>
      %d = moe.grouped_matmul %h by %down at %offsets : (tensor<?x12xbf16>, !moe.weights<6x12x16xbf16>, tensor<?xi32>) -> tensor<?x16xbf16>
      moe.yield %d : tensor<?x16xbf16>
    }
    %3 = tensor.empty(%tokens) : tensor<?x16xbf16>
    %y = linalg.generic {indexing_maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r, c)>], iterator_types = ["parallel", "parallel"]}
        ins(%sum : tensor<?x16xf32>) outs(%3 : tensor<?x16xbf16>) {
    ^bb0(%a: f32, %out: bf16):
      %rounded = arith.truncf %a : f32 to bf16
      linalg.yield %rounded : bf16
    } -> tensor<?x16xbf16>
    return %y : tensor<?x16xbf16>
  }

  func.func private @decoder_layer(%x: tensor<?x16xbf16>, %router: tensor<6x16xbf16>, %gate: !moe.weights<6x16x12xbf16>, %up: !moe.weights<6x16x12xbf16>, %down: !moe.weights<6x12x16xbf16>, %placement: !moe.placement_ref<6 experts>) -> tensor<?x16xbf16> attributes {moe.role = "decoder_layer"} {
    %0 = call @attention(%x) : (tensor<?x16xbf16>) -> tensor<?x16xbf16>
    %1 = call @moe_block(%0, %router, %gate, %up, %down, %placement) : (tensor<?x16xbf16>, tensor<6x16xbf16>, !moe.weights<6x16x12xbf16>, !moe.weights<6x16x12xbf16>, !moe.weights<6x12x16xbf16>, !moe.placement_ref<6 experts>) -> tensor<?x16xbf16>
    return %1 : tensor<?x16xbf16>
  }

  func.func @model(%x: tensor<?x16xbf16>) -> tensor<?x16xbf16> attributes {moe.role = "model"} {
    %r0 = moe.use_weight @layers.0.router : tensor<6x16xbf16>
    %g0 = moe.use_weight @layers.0.experts.gate : !moe.weights<6x16x12xbf16>
    %u0 = moe.use_weight @layers.0.experts.up : !moe.weights<6x16x12xbf16>
    %d0 = moe.use_weight @layers.0.experts.down : !moe.weights<6x12x16xbf16>
    %p0 = moe.use_placement layer 0 : !moe.placement_ref<6 experts>
    %0 = call @decoder_layer(%x, %r0, %g0, %u0, %d0, %p0) {moe.layer = 0 : i64} : (tensor<?x16xbf16>, tensor<6x16xbf16>, !moe.weights<6x16x12xbf16>, !moe.weights<6x16x12xbf16>, !moe.weights<6x12x16xbf16>, !moe.placement_ref<6 experts>) -> tensor<?x16xbf16>
    %r1 = moe.use_weight @layers.1.router : tensor<6x16xbf16>
    %g1 = moe.use_weight @layers.1.experts.gate : !moe.weights<6x16x12xbf16>
    %u1 = moe.use_weight @layers.1.experts.up : !moe.weights<6x16x12xbf16>
    %d1 = moe.use_weight @layers.1.experts.down : !moe.weights<6x12x16xbf16>
    %p1 = moe.use_placement layer 1 : !moe.placement_ref<6 experts>
    %1 = call @decoder_layer(%0, %r1, %g1, %u1, %d1, %p1) {moe.layer = 1 : i64} : (tensor<?x16xbf16>, tensor<6x16xbf16>, !moe.weights<6x16x12xbf16>, !moe.weights<6x16x12xbf16>, !moe.weights<6x12x16xbf16>, !moe.placement_ref<6 experts>) -> tensor<?x16xbf16>
    return %1 : tensor<?x16xbf16>
  }
}
