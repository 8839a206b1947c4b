// A layer of experts and a function that the caller brings.
module attributes {moe.dtype = f32, moe.max_tokens = 64 : i64} {
  moe.weight @router "router.weight" : tensor<4x16xf32>
  moe.weight @experts "experts.{e}.weight" : !moe.weights<4x16x16xf32>

  // One row of the result for each row of the argument.
  func.func private @scale(tensor<?x16xf32>) -> tensor<?x16xf32> attributes {comm.sharding_rule = [[0, -1], [0, -1]]}

  func.func @layer(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %router = moe.use_weight @router : tensor<4x16xf32>
    %matrix = moe.use_weight @experts : !moe.weights<4x16x16xf32>
    %placement = moe.use_placement layer 0 : !moe.placement_ref<4 experts>
    %tokens = tensor.dim %x, %c0 : tensor<?x16xf32>
    %space = tensor.empty(%tokens) : tensor<?x4xf32>
    %start = linalg.fill ins(%zero : f32) outs(%space : tensor<?x4xf32>) -> tensor<?x4xf32>
    %logits = linalg.matmul
        indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (n, k)>, affine_map<(t, n, k) -> (t, n)>]
        ins(%x, %router : tensor<?x16xf32>, tensor<4x16xf32>) outs(%start : tensor<?x4xf32>) -> tensor<?x4xf32>
    %scores = moe.score softmax %logits : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %expert, %weight = moe.select top_k 2 %scores : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    %sum = moe.experts %x routed by %expert weighted by %weight placed by %placement
        : (tensor<?x16xf32>, tensor<?x2xi32>, tensor<?x2xf32>, !moe.placement_ref<4 experts>) -> tensor<?x16xf32> {
    ^bb0(%rows: tensor<?x16xf32>, %offsets: tensor<?xi32>):
      %out = moe.grouped_matmul %rows by %matrix at %offsets : (tensor<?x16xf32>, !moe.weights<4x16x16xf32>, tensor<?xi32>) -> tensor<?x16xf32>
      moe.yield %out : tensor<?x16xf32>
    }
    %y = call @scale(%sum) : (tensor<?x16xf32>) -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }
}
