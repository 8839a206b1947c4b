// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_ROUTING_OPS
#define MOE_ROUTING_OPS

include "moe/MoESymbolOps.td"

def MoE_Scores : AnyTypeOf<[2DTensorOf<[F32, BF16, F16]>, MemRefRankOf<[F32, BF16, F16], [2]>]>;
def MoE_Choices : AnyTypeOf<[2DTensorOf<[I32]>, MemRefRankOf<[I32], [2]>]>;
// One number an expert, or a token.
def MoE_Numbers : AnyTypeOf<[1DTensorOf<[F32, BF16, F16]>, MemRefRankOf<[F32, BF16, F16], [1]>]>;
def MoE_Counts : AnyTypeOf<[4DTensorOf<[I32]>, MemRefRankOf<[I32], [4]>]>;

// An op that returns tensors, or writes its outs on buffers.
class MoE_BufferFormOp<string mnemonic, list<Trait> traits = []>
    : MoE_Op<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<MoE_BufferFormOpInterface, ["getResultExtents"]>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
}

// A routing op works token by token unless it says otherwise.
class MoE_RoutingOp<string mnemonic, list<Trait> traits = []>
    : MoE_BufferFormOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<Comm_ShardingRuleOpInterface>,
        DeclareOpInterfaceMethods<Comm_PartitionOpInterface>], traits)>;

def MoE_ScoreOp : MoE_RoutingOp<"score"> {
  let summary = "router scores from logits";
  let description = [{
    Semantics, for token t and expert e, in f32:
    softmax: `exp(z[t,e] - max_e z[t,e]) / sum_e exp(z[t,e] - max_e z[t,e])`;
    sigmoid: `1 / (1 + exp(-z))`; sqrt_softplus: `sqrt(log(1 + exp(z)))`;
    identity: `z`. Rounded to the result's element type.

    Lifespan: created by the importer; lowered to loops.

    Constraints:
    - C1: one float result of the shape of the logits, of static columns.

    Example:
    ```mlir
    %scores = moe.score softmax %logits : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins MoE_ScoreFunctionAttr:$function, MoE_Scores:$logits,
                       Variadic<AnyMemRef>:$outs);
  let assemblyFormat = "`` $function $logits (`into` $outs^)? attr-dict `:` functional-type(operands, results)";
}

def MoE_SelectOp : MoE_RoutingOp<"select", [AttrSizedOperandSegments]> {
  let summary = "the K best experts of each token";
  let description = [{
    Semantics: the selection score is `c = score + bias + noise` (what is
    absent is 0), masked by `limit`. The result holds the K experts with the
    largest c, ordered by (c descending, expert ascending), and their *scores*
    (without bias, noise or mask). `second` says when the second choice is
    kept: always, sampled (`noise` applies to the second choice only), or
    with probability min(1, 2 * score) against `random` (uniform, one a token);
    a choice not kept is -1 with score 0.

    Lifespan: created by the importer; lowered to loops.

    Constraints:
    - C1: 1 <= k <= E, and E is static.
    - C2: the results are expert [T, k] (i32) and score [T, k] (float).
    - C3: the group count divides E, and k experts fit into the kept groups,
      whatever the mask: a masked expert is never chosen.
    - C4: `second` needs k = 2; `random` is given exactly with `second = random`.
    - C5: bias is [E], noise [T, E], random [T].

    Example:
    ```mlir
    %expert, %score = moe.select top_k 2 %scores : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    %e, %s = moe.select top_k 8 %sigmoids biased by %bias
        limit <groups = 8, keep = 4, score = sum_of_top, top = 2, mask = zero>
        : (tensor<?x256xf32>, tensor<256xf32>) -> (tensor<?x8xi32>, tensor<?x8xf32>)
    ```
  }];
  let arguments = (ins I64Attr:$k, MoE_Scores:$scores, Optional<MoE_Numbers>:$bias,
      Optional<MoE_Scores>:$noise, Optional<MoE_Numbers>:$random, Variadic<AnyMemRef>:$outs,
      OptionalAttr<MoE_GroupLimitAttr>:$limit,
      OptionalAttr<MoE_SecondExpertPolicyAttr>:$second);
  let assemblyFormat = [{
    `top_k` $k $scores (`biased` `by` $bias^)? (`noised` `by` $noise^)? (`limit` $limit^)?
    (`second` `` $second^)? (`random` $random^)? (`into` $outs^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def MoE_SelectTokensOp : MoE_RoutingOp<"select_tokens"> {
  let summary = "the best tokens of each expert (expert choice)";
  let description = [{
    Semantics: in each group of tokens every expert takes the `capacity` tokens
    with the largest score (ties: lowest token). Token t's row of the result
    lists the experts that took it, ascending, then -1; K = E columns.

    Lifespan: written by hand; refused by lowering.

    Constraints:
    - C1: the results are expert [T, E] and score [T, E].

    Example:
    ```mlir
    %e, %s = moe.select_tokens %scores group <tokens 512> capacity <factor = 2.0 : f64, rounding = floor>
        : (tensor<?x8xf32>) -> (tensor<?x8xi32>, tensor<?x8xf32>)
    ```
  }];
  let arguments = (ins MoE_Scores:$scores, Variadic<AnyMemRef>:$outs,
      MoE_CapacityGroupAttr:$group, MoE_CapacityAttr:$capacity);
  let assemblyFormat = [{
    $scores (`into` $outs^)? `group` $group `capacity` $capacity
    attr-dict `:` functional-type(operands, results)
  }];
}

def MoE_SelectMaskedPairOp : MoE_RoutingOp<"select_masked_pair"> {
  let summary = "two experts by two masked softmaxes (sparse mixer)";
  let description = [{
    Semantics, inference: e1 = argmax z; experts with
    `(max - z) / max(|z|, max) > 2 * jitter` are masked; weight1 =
    softmax(masked z)[e1]. Then z[e1] = -inf and the same again for e2, with
    the original |z| in the threshold.

    Lifespan: written by hand; refused by lowering.

    Constraints:
    - C1: the results are expert [T, 2] and weight [T, 2].
    - C2: `jitter` is finite and not negative.

    Example:
    ```mlir
    %e, %w = moe.select_masked_pair %logits jitter 1.000000e-02 : (tensor<?x16xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    ```
  }];
  let arguments = (ins MoE_Scores:$logits, Variadic<AnyMemRef>:$outs, F64Attr:$jitter);
  let assemblyFormat = "$logits (`into` $outs^)? `jitter` $jitter attr-dict `:` functional-type(operands, results)";
}

def MoE_SelectBalancedOp : MoE_RoutingOp<"select_balanced"> {
  let summary = "the assignment in which every expert gets equally many tokens";
  let description = [{
    Semantics: the one-to-one assignment of each group's tokens to E experts,
    T / E each, with the largest sum of scores (BASE layers, training).

    Lifespan: written by hand; refused by lowering.

    Constraints:
    - C1: the results are expert [T, 1] and score [T, 1].

    Example:
    ```mlir
    %e, %s = moe.select_balanced %affinity group <all> : (tensor<?x8xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>)
    ```
  }];
  let arguments = (ins MoE_Scores:$scores, Variadic<AnyMemRef>:$outs, MoE_CapacityGroupAttr:$group);
  let assemblyFormat = "$scores (`into` $outs^)? `group` $group attr-dict `:` functional-type(operands, results)";
}

def MoE_WeighOp : MoE_RoutingOp<"weigh"> {
  let summary = "combine weights from selected scores";
  let description = [{
    Semantics, for token t with scores s_0 … s_{K-1}, in f32, left to right:
    none: `s`; sum: `s / (sum s + epsilon)`; clamped_sum:
    `s / max(sum s, epsilon)`; p_norm: `s / (sum |s|^p)^(1/p)`; softmax over
    the K values. Then `* scale`, rounded to the result's element type.

    Lifespan: created by the importer; lowered to loops.

    Constraints:
    - C1: one result of the shape of the scores.
    - C2: `p` is given exactly with p_norm.
    - C3: `epsilon` is finite and not negative, `scale` finite, `p` finite and
      positive.

    Example:
    ```mlir
    %weight = moe.weigh sum %score epsilon 1.000000e-20 scale 2.500000e+00 : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins MoE_NormalizationAttr:$normalization, MoE_Scores:$scores,
      Variadic<AnyMemRef>:$outs,
      DefaultValuedAttr<F64Attr, "0.0">:$epsilon, DefaultValuedAttr<F64Attr, "1.0">:$scale,
      OptionalAttr<F64Attr>:$p);
  let assemblyFormat = [{
    `` $normalization $scores (`into` $outs^)? (`epsilon` $epsilon^)? (`scale` $scale^)? (`p` $p^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def MoE_LimitCapacityOp : MoE_RoutingOp<"limit_capacity", [AttrSizedOperandSegments]> {
  let summary = "drops what a full expert cannot take";
  let description = [{
    Semantics: within each `group` of global tokens the assignments of an
    expert are numbered in `order`: (choice, token); `survivors_then_token`
    numbers a later choice after the earlier ones that survived;
    `best_score` orders the tokens of a group by their largest score first;
    `random` by `priority`. An assignment whose number is at least the
    capacity becomes expert -1; its weight stays, for `moe.experts` to decide
    what it adds. On one rank of several, `taken` holds the counts of all ranks,
    [ranks, groups, K, E] (`moe.count_choices`), `rank` is this rank's place
    among them, `first_token` its first global token and `tokens` the global
    token count; without them the operand holds all tokens. With `renormalize` the weights of a token are divided by the
    sum over what survived.

    Lifespan: created by the importer; lowered to loops and, where a group
    spans ranks, one all-gather of counts.

    Constraints:
    - C1: the result is expert [T, K], and weight [T, K] with `renormalize`.
    - C2: `priority` is given exactly with `order random` or `best_score`.
    - C3: weight is [T, K], priority [T], taken [ranks, groups, K, E].
    - C4: `taken`, `from_token`, `tokens` and `rank` are given together.

    Example:
    ```mlir
    %kept = moe.limit_capacity %expert group <sequence 128> capacity <count = 64> order choice_then_token experts 8
        : (tensor<?x1xi32>) -> tensor<?x1xi32>
    ```
  }];
  let arguments = (ins MoE_Choices:$expert, Optional<MoE_Scores>:$weight,
      Optional<MoE_Numbers>:$priority, Optional<MoE_Counts>:$taken, Optional<Index>:$first_token,
      Optional<Index>:$tokens, Optional<Index>:$rank, Variadic<AnyMemRef>:$outs,
      MoE_CapacityGroupAttr:$group, MoE_CapacityAttr:$capacity, MoE_DropOrderAttr:$order,
      ConfinedAttr<I64Attr, [IntPositive]>:$experts, UnitAttr:$renormalize);
  let assemblyFormat = [{
    $expert (`weight` $weight^)? (`priority` $priority^)? (`taken` $taken^)?
    (`from_token` $first_token^)? (`tokens` $tokens^)? (`rank` $rank^)?
    (`into` $outs^)? `group` $group `capacity` $capacity
    `order` `` $order `experts` $experts (`renormalize` $renormalize^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def MoE_CountChoicesOp : MoE_BufferFormOp<"count_choices",
    [DeclareOpInterfaceMethods<Comm_UniformityOpInterface>]> {
  let summary = "how often each expert was chosen, by group and choice";
  let description = [{
    Semantics: `counts[g, j, e] = |{t in group g of this rank: expert[t, j] = e}|`
    for the groups of `group` in `tokens` global tokens; t counts from
    `first_token`.

    Lifespan: created by partitioning a `moe.limit_capacity` whose groups span
    ranks; lowered to loops.

    Constraints:
    - C1: one result, [groups, K, E].

    Example:
    ```mlir
    %c = moe.count_choices %expert from_token %t0 tokens %t group <all> experts 8
        : (tensor<?x1xi32>, index, index) -> tensor<?x1x8xi32>
    ```
  }];
  let arguments = (ins MoE_Choices:$expert, Index:$first_token, Index:$tokens,
      Variadic<AnyMemRef>:$outs, MoE_CapacityGroupAttr:$group,
      ConfinedAttr<I64Attr, [IntPositive]>:$experts);
  let assemblyFormat = [{
    $expert `from_token` $first_token `tokens` $tokens (`into` $outs^)?
    `group` $group `experts` $experts attr-dict `:` functional-type(operands, results)
  }];
}

#endif // MOE_ROUTING_OPS
