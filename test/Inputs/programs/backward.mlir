// The backward pass of one MoE layer by hand, planned for two ranks: given x and
// dL/dy, the gradients of x and of every weight.
//
// The exchanges are those of the forward pass with their ends swapped: dy goes
// to the experts, dx comes home. Each product with a matrix has one with the
// transposed matrix (the same tensor of the checkpoint, read the other way) and
// an outer product for the matrix itself.

#row = affine_map<(r, c) -> (r, c)>
#one = affine_map<(r, c) -> (r, 0)>
#column = affine_map<(r, c) -> (c)>

module @backward attributes {moe.dtype = f32, moe.max_tokens = 64 : i64} {
  comm.mesh @mesh <["ep"=2]>
  moe.placement @p0 experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]]
  moe.exchange @x0 flat_exact bound 128

  moe.weight @router "router.weight" : tensor<5x16xf32>
  moe.weight @gate "experts.{e}.gate.weight" : !moe.weights<5x16x12xf32>
  moe.weight @up "experts.{e}.up.weight" : !moe.weights<5x16x12xf32>
  moe.weight @gate_transposed "experts.{e}.gate.weight" stored in_by_out : !moe.weights<5x12x16xf32>
  moe.weight @up_transposed "experts.{e}.up.weight" stored in_by_out : !moe.weights<5x12x16xf32>
  moe.weight @down_transposed "experts.{e}.down.weight" stored in_by_out : !moe.weights<5x16x12xf32>

  // Entry [t, e] is that of token t's choice of expert e, 0 where it chose others.
  func.func private @scatter_choices(%value: tensor<?x2xf32>, %expert: tensor<?x2xi32>) -> tensor<?x5xf32> {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %numbers = arith.constant dense<[0, 1, 2, 3, 4]> : tensor<5xi32>
    %tokens = tensor.dim %value, %c0 : tensor<?x2xf32>
    %space = tensor.empty(%tokens) : tensor<?x5xf32>
    %start = linalg.fill ins(%zero : f32) outs(%space : tensor<?x5xf32>) -> tensor<?x5xf32>
    %result = linalg.generic {
        indexing_maps = [affine_map<(t, e, j) -> (t, j)>, affine_map<(t, e, j) -> (t, j)>, affine_map<(t, e, j) -> (e)>, affine_map<(t, e, j) -> (t, e)>],
        iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%value, %expert, %numbers : tensor<?x2xf32>, tensor<?x2xi32>, tensor<5xi32>) outs(%start : tensor<?x5xf32>) {
    ^bb0(%v: f32, %chosen: i32, %number: i32, %sum: f32):
      %none = arith.constant 0.0 : f32
      %is_it = arith.cmpi eq, %chosen, %number : i32
      %term = arith.select %is_it, %v, %none : f32
      %next = arith.addf %sum, %term : f32
      linalg.yield %next : f32
    } -> tensor<?x5xf32>
    return %result : tensor<?x5xf32>
  }

  func.func @backward(
      %x: tensor<?x16xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>},
      %dy: tensor<?x16xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>})
      -> (tensor<?x16xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>},
          tensor<5x16xf32>,
          tensor<5x192xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>},
          tensor<5x192xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>},
          tensor<5x192xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<5 experts>
    %router = moe.use_weight @router : tensor<5x16xf32>
    %gate = moe.use_weight @gate placed by @p0 : !moe.weights<5x16x12xf32>
    %up = moe.use_weight @up placed by @p0 : !moe.weights<5x16x12xf32>
    %gate_t = moe.use_weight @gate_transposed placed by @p0 : !moe.weights<5x12x16xf32>
    %up_t = moe.use_weight @up_transposed placed by @p0 : !moe.weights<5x12x16xf32>
    %down_t = moe.use_weight @down_transposed placed by @p0 : !moe.weights<5x16x12xf32>
    %tokens = tensor.dim %x, %c0 : tensor<?x16xf32>

    // The routing of the forward pass.
    %logits_space = tensor.empty(%tokens) : tensor<?x5xf32>
    %logits_start = linalg.fill ins(%zero : f32) outs(%logits_space : tensor<?x5xf32>) -> tensor<?x5xf32>
    %logits = linalg.matmul
        indexing_maps = [affine_map<(t, e, h) -> (t, h)>, affine_map<(t, e, h) -> (e, h)>, affine_map<(t, e, h) -> (t, e)>]
        ins(%x, %router : tensor<?x16xf32>, tensor<5x16xf32>) outs(%logits_start : tensor<?x5xf32>) -> tensor<?x5xf32>
    %scores = moe.score softmax %logits : (tensor<?x5xf32>) -> tensor<?x5xf32>
    %expert, %score = moe.select top_k 2 %scores : (tensor<?x5xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    %w = moe.weigh sum %score : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %layout = moe.dispatch_layout %expert placed by %p from_token %c0 over {"ep"} of @mesh exchange @x0
        : (tensor<?x2xi32>, !moe.placement_ref<5 experts>, index) -> !moe.layout<2 ranks x 3 slots>

    // To the experts: rows of x, of dy, and the weight of each row.
    %xr, %offsets = moe.dispatch %x by %layout : (tensor<?x16xf32>, !moe.layout<2 ranks x 3 slots>) -> (tensor<?x16xf32>, tensor<?xi32>)
    %dyr, %offsets1 = moe.dispatch %dy by %layout : (tensor<?x16xf32>, !moe.layout<2 ranks x 3 slots>) -> (tensor<?x16xf32>, tensor<?xi32>)
    %ones_space = tensor.empty(%tokens) : tensor<?x1xf32>
    %ones = linalg.fill ins(%one : f32) outs(%ones_space : tensor<?x1xf32>) -> tensor<?x1xf32>
    %wr, %offsets2 = moe.dispatch %ones by %layout weighted by %w : (tensor<?x1xf32>, !moe.layout<2 ranks x 3 slots>, tensor<?x2xf32>) -> (tensor<?x1xf32>, tensor<?xi32>)

    // At the experts: what the forward pass had, then its way back.
    %rows = tensor.dim %xr, %c0 : tensor<?x16xf32>
    %narrow = tensor.empty(%rows) : tensor<?x12xf32>
    %wide = tensor.empty(%rows) : tensor<?x16xf32>
    %g = moe.grouped_matmul %xr by %gate at %offsets : (tensor<?x16xf32>, !moe.weights<5x16x12xf32>, tensor<?xi32>) -> tensor<?x12xf32>
    %u = moe.grouped_matmul %xr by %up at %offsets : (tensor<?x16xf32>, !moe.weights<5x16x12xf32>, tensor<?xi32>) -> tensor<?x12xf32>
    %dh = moe.grouped_matmul %dyr by %down_t at %offsets : (tensor<?x16xf32>, !moe.weights<5x16x12xf32>, tensor<?xi32>) -> tensor<?x12xf32>
    %h, %dg, %du = linalg.generic {
        indexing_maps = [#row, #row, #row, #one, #row, #row, #row], iterator_types = ["parallel", "parallel"]}
        ins(%g, %u, %dh, %wr : tensor<?x12xf32>, tensor<?x12xf32>, tensor<?x12xf32>, tensor<?x1xf32>)
        outs(%narrow, %narrow, %narrow : tensor<?x12xf32>, tensor<?x12xf32>, tensor<?x12xf32>) {
    ^bb0(%a: f32, %b: f32, %d: f32, %weight: f32, %out0: f32, %out1: f32, %out2: f32):
      // silu(a) = a s and silu'(a) = s (1 + a (1 - s)) with s = 1 / (1 + exp(-a)).
      %unit = arith.constant 1.0 : f32
      %minus = arith.negf %a : f32
      %power = math.exp %minus : f32
      %below = arith.addf %unit, %power : f32
      %s = arith.divf %unit, %below : f32
      %silu = arith.mulf %a, %s : f32
      %rest = arith.subf %unit, %s : f32
      %part = arith.mulf %a, %rest : f32
      %more = arith.addf %unit, %part : f32
      %slope = arith.mulf %s, %more : f32
      %dd = arith.mulf %weight, %d : f32
      %up_of = arith.mulf %silu, %b : f32
      %db = arith.mulf %dd, %silu : f32
      %scaled = arith.mulf %dd, %b : f32
      %da = arith.mulf %scaled, %slope : f32
      linalg.yield %up_of, %da, %db : f32, f32, f32
    } -> (tensor<?x12xf32>, tensor<?x12xf32>, tensor<?x12xf32>)
    %dr = linalg.generic {indexing_maps = [#row, #one, #row], iterator_types = ["parallel", "parallel"]}
        ins(%dyr, %wr : tensor<?x16xf32>, tensor<?x1xf32>) outs(%wide : tensor<?x16xf32>) {
    ^bb0(%d: f32, %weight: f32, %out: f32):
      %dd = arith.mulf %weight, %d : f32
      linalg.yield %dd : f32
    } -> tensor<?x16xf32>
    %dgate = moe.grouped_outer_product %xr with %dg at %offsets : (tensor<?x16xf32>, tensor<?x12xf32>, tensor<?xi32>) -> tensor<5x16x12xf32>
    %dup = moe.grouped_outer_product %xr with %du at %offsets : (tensor<?x16xf32>, tensor<?x12xf32>, tensor<?xi32>) -> tensor<5x16x12xf32>
    %ddown = moe.grouped_outer_product %h with %dr at %offsets : (tensor<?x12xf32>, tensor<?x16xf32>, tensor<?xi32>) -> tensor<5x12x16xf32>
    %dx_gate = moe.grouped_matmul %dg by %gate_t at %offsets : (tensor<?x12xf32>, !moe.weights<5x12x16xf32>, tensor<?xi32>) -> tensor<?x16xf32>
    %dx_up = moe.grouped_matmul %du by %up_t at %offsets : (tensor<?x12xf32>, !moe.weights<5x12x16xf32>, tensor<?xi32>) -> tensor<?x16xf32>
    %dxr = linalg.add ins(%dx_gate, %dx_up : tensor<?x16xf32>, tensor<?x16xf32>) outs(%wide : tensor<?x16xf32>) -> tensor<?x16xf32>
    // dL/dw of a row is <W dy, h>: a number a row, and no row of y.
    %number = tensor.empty(%rows) : tensor<?x1xf32>
    %number0 = linalg.fill ins(%zero : f32) outs(%number : tensor<?x1xf32>) -> tensor<?x1xf32>
    %dwr = linalg.generic {
        indexing_maps = [affine_map<(r, k, c) -> (r, c)>, affine_map<(r, k, c) -> (r, c)>, affine_map<(r, k, c) -> (r, k)>],
        iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%dh, %h : tensor<?x12xf32>, tensor<?x12xf32>) outs(%number0 : tensor<?x1xf32>) {
    ^bb0(%a: f32, %b: f32, %sum: f32):
      %product = arith.mulf %a, %b : f32
      %next = arith.addf %sum, %product : f32
      linalg.yield %next : f32
    } -> tensor<?x1xf32>

    // Home: dx as a sum over the choices; dw choice by choice, the others times 0.
    %pair = tensor.empty(%tokens) : tensor<?x2xf32>
    %all = linalg.fill ins(%one : f32) outs(%pair : tensor<?x2xf32>) -> tensor<?x2xf32>
    %dx0 = moe.combine %dxr weighted by %all by %layout : (tensor<?x16xf32>, tensor<?x2xf32>, !moe.layout<2 ranks x 3 slots>) -> tensor<?x16xf32>
    %e0 = arith.constant dense<[1.0, 0.0]> : tensor<2xf32>
    %e1 = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
    %first = linalg.broadcast ins(%e0 : tensor<2xf32>) outs(%pair : tensor<?x2xf32>) dimensions = [0]
    %second = linalg.broadcast ins(%e1 : tensor<2xf32>) outs(%pair : tensor<?x2xf32>) dimensions = [0]
    %dw0 = moe.combine %dwr weighted by %first by %layout : (tensor<?x1xf32>, tensor<?x2xf32>, !moe.layout<2 ranks x 3 slots>) -> tensor<?x1xf32>
    %dw1 = moe.combine %dwr weighted by %second by %layout : (tensor<?x1xf32>, tensor<?x2xf32>, !moe.layout<2 ranks x 3 slots>) -> tensor<?x1xf32>
    %dw = linalg.generic {indexing_maps = [#one, #one, #column, #row], iterator_types = ["parallel", "parallel"]}
        ins(%dw0, %dw1, %e0 : tensor<?x1xf32>, tensor<?x1xf32>, tensor<2xf32>) outs(%pair : tensor<?x2xf32>) {
    ^bb0(%a: f32, %b: f32, %is_first: f32, %out: f32):
      %half = arith.constant 0.5 : f32
      %takes = arith.cmpf ogt, %is_first, %half : f32
      %chosen = arith.select %takes, %a, %b : f32
      linalg.yield %chosen : f32
    } -> tensor<?x2xf32>

    // Through the softmax over the chosen logits: w (dw - <w, dw>).
    %mean_space = tensor.empty(%tokens) : tensor<?x1xf32>
    %mean_start = linalg.fill ins(%zero : f32) outs(%mean_space : tensor<?x1xf32>) -> tensor<?x1xf32>
    %mean = linalg.generic {
        indexing_maps = [affine_map<(t, k, j) -> (t, j)>, affine_map<(t, k, j) -> (t, j)>, affine_map<(t, k, j) -> (t, k)>],
        iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%w, %dw : tensor<?x2xf32>, tensor<?x2xf32>) outs(%mean_start : tensor<?x1xf32>) {
    ^bb0(%a: f32, %b: f32, %sum: f32):
      %product = arith.mulf %a, %b : f32
      %next = arith.addf %sum, %product : f32
      linalg.yield %next : f32
    } -> tensor<?x1xf32>
    %dchoice = linalg.generic {indexing_maps = [#row, #row, #one, #row], iterator_types = ["parallel", "parallel"]}
        ins(%w, %dw, %mean : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x1xf32>) outs(%pair : tensor<?x2xf32>) {
    ^bb0(%a: f32, %d: f32, %m: f32, %out: f32):
      %difference = arith.subf %d, %m : f32
      %product = arith.mulf %a, %difference : f32
      linalg.yield %product : f32
    } -> tensor<?x2xf32>
    %dlogits = call @scatter_choices(%dchoice, %expert) : (tensor<?x2xf32>, tensor<?x2xi32>) -> tensor<?x5xf32>

    // dx = dx0 + dlogits router; drouter sums over all tokens, in one order.
    %dx = linalg.matmul ins(%dlogits, %router : tensor<?x5xf32>, tensor<5x16xf32>) outs(%dx0 : tensor<?x16xf32>) -> tensor<?x16xf32>
    %drouter_space = tensor.empty() : tensor<5x16xf32>
    %drouter_start = linalg.fill ins(%zero : f32) outs(%drouter_space : tensor<5x16xf32>) -> tensor<5x16xf32>
    %drouter = linalg.matmul
        indexing_maps = [affine_map<(e, h, t) -> (t, e)>, affine_map<(e, h, t) -> (t, h)>, affine_map<(e, h, t) -> (e, h)>]
        ins(%dlogits, %x : tensor<?x5xf32>, tensor<?x16xf32>) outs(%drouter_start : tensor<5x16xf32>) -> tensor<5x16xf32>

    %dgate_flat = tensor.collapse_shape %dgate [[0], [1, 2]] : tensor<5x16x12xf32> into tensor<5x192xf32>
    %dup_flat = tensor.collapse_shape %dup [[0], [1, 2]] : tensor<5x16x12xf32> into tensor<5x192xf32>
    %ddown_flat = tensor.collapse_shape %ddown [[0], [1, 2]] : tensor<5x12x16xf32> into tensor<5x192xf32>
    return %dx, %drouter, %dgate_flat, %dup_flat, %ddown_flat
        : tensor<?x16xf32>, tensor<5x16xf32>, tensor<5x192xf32>, tensor<5x192xf32>, tensor<5x192xf32>
  }
}
