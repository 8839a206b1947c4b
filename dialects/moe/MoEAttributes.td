// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_ATTRIBUTES
#define MOE_ATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "moe/MoEDialect.td"

class MoE_I32Enum<string name, string summary, list<I32EnumCase> cases>
    : I32Enum<name, summary, cases> {
  let cppNamespace = "::mlir::moe";
}
class MoE_EnumAttr<EnumInfo info, string mnemonic> : EnumAttr<MoE_Dialect, info, mnemonic>;
class MoE_Attr<string name, string attrMnemonic> : AttrDef<MoE_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def MoE_ScoreFunction : MoE_I32Enum<"ScoreFunction", "logits to scores", [
    I32EnumCase<"Softmax", 0, "softmax">,
    I32EnumCase<"Sigmoid", 1, "sigmoid">,
    I32EnumCase<"SqrtSoftplus", 2, "sqrt_softplus">,
    I32EnumCase<"Identity", 3, "identity">]>;
def MoE_ScoreFunctionAttr : MoE_EnumAttr<MoE_ScoreFunction, "score_function">;

def MoE_GroupScore : MoE_I32Enum<"GroupScore", "how a group of experts is scored", [
    I32EnumCase<"Max", 0, "max">,
    I32EnumCase<"SumOfTop", 1, "sum_of_top">]>;

def MoE_MaskValue : MoE_I32Enum<"MaskValue", "score of an expert outside the kept groups", [
    I32EnumCase<"Zero", 0, "zero">,
    I32EnumCase<"NegativeInfinity", 1, "negative_infinity">]>;

def MoE_GroupLimitAttr : MoE_Attr<"GroupLimit", "group_limit"> {
  let summary = "only experts of the best groups may be selected";
  let description = [{
    E experts form `groups` equal contiguous groups; the `keep` groups with the
    best score stay (ties: lowest index), the selection score of the others'
    experts becomes `mask`. A group's score is the `max` of its experts'
    selection scores, or the sum of its `top` best (`sum_of_top`).
  }];
  let parameters = (ins "int64_t":$groups, "int64_t":$keep,
      EnumParameter<MoE_GroupScore>:$score, DefaultValuedParameter<"int64_t", "1">:$top,
      EnumParameter<MoE_MaskValue>:$mask);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def MoE_SecondExpertPolicy : MoE_I32Enum<"SecondExpertPolicy", "when the second choice is kept", [
    I32EnumCase<"All", 0, "all">,
    I32EnumCase<"Sampling", 1, "sampling">,
    I32EnumCase<"Random", 2, "random">]>;
def MoE_SecondExpertPolicyAttr : MoE_EnumAttr<MoE_SecondExpertPolicy, "second_expert">;

def MoE_Normalization : MoE_I32Enum<"Normalization", "what selected scores are divided by", [
    I32EnumCase<"None", 0, "none">,
    I32EnumCase<"Sum", 1, "sum">,
    I32EnumCase<"ClampedSum", 2, "clamped_sum">,
    I32EnumCase<"PNorm", 3, "p_norm">,
    I32EnumCase<"Softmax", 4, "softmax">]>;
def MoE_NormalizationAttr : MoE_EnumAttr<MoE_Normalization, "normalization">;

def MoE_CapacityScope : MoE_I32Enum<"CapacityScope", "which tokens share a capacity", [
    I32EnumCase<"All", 0, "all">,
    I32EnumCase<"Tokens", 1, "tokens">,
    I32EnumCase<"Sequence", 2, "sequence">]>;

def MoE_CapacityGroupAttr : MoE_Attr<"CapacityGroup", "capacity_group"> {
  let summary = "a contiguous range of global tokens that shares a capacity";
  let description = [{
    `<all>`, `<tokens 512>` (each 512 consecutive tokens) or `<sequence 128>`
    (each sequence of 128 tokens).
  }];
  let parameters = (ins EnumParameter<MoE_CapacityScope>:$scope,
                        DefaultValuedParameter<"int64_t", "0">:$size);
  // An optional integer in a declarative format would have to be there.
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def MoE_CapacityRounding : MoE_I32Enum<"CapacityRounding", "capacity from a factor", [
    I32EnumCase<"Floor", 0, "floor">, I32EnumCase<"Ceil", 1, "ceil">,
    I32EnumCase<"HalfEven", 2, "half_even">]>;

def MoE_CapacityAttr : MoE_Attr<"Capacity", "capacity"> {
  let summary = "how many assignments an expert takes of one group";
  let description = [{
    With a positive `count`: that many. Otherwise, with S the tokens of the
    group: `round(factor * S / E)`, rounded as `rounding` says, up to a multiple
    of `multiple_of`, at least `minimum`.
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "0">:$count,
      OptionalParameter<"::mlir::FloatAttr">:$factor,
      DefaultValuedParameter<"CapacityRounding", "CapacityRounding::Ceil">:$rounding,
      DefaultValuedParameter<"int64_t", "1">:$multiple_of,
      DefaultValuedParameter<"int64_t", "0">:$minimum);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def MoE_DropOrder : MoE_I32Enum<"DropOrder", "who comes first to a full expert", [
    I32EnumCase<"ChoiceThenToken", 0, "choice_then_token">,
    I32EnumCase<"SurvivorsThenToken", 1, "survivors_then_token">,
    I32EnumCase<"BestScore", 2, "best_score">,
    I32EnumCase<"Random", 3, "random">]>;
def MoE_DropOrderAttr : MoE_EnumAttr<MoE_DropOrder, "drop_order">;

def MoE_DroppedReturn : MoE_I32Enum<"DroppedReturn", "what a choice without an expert adds", [
    I32EnumCase<"Zero", 0, "zero">,
    I32EnumCase<"WeightedInput", 1, "weighted_input">]>;
def MoE_DroppedReturnAttr : MoE_EnumAttr<MoE_DroppedReturn, "dropped_return">;

def MoE_WeightSide : MoE_I32Enum<"WeightSide", "where a routing weight is applied", [
    I32EnumCase<"Output", 0, "output">, I32EnumCase<"Input", 1, "input">]>;
def MoE_WeightSideAttr : MoE_EnumAttr<MoE_WeightSide, "weight_side">;

def MoE_WeightLayout : MoE_I32Enum<"WeightLayout", "how the checkpoint stores a matrix", [
    I32EnumCase<"OutByIn", 0, "out_by_in">, I32EnumCase<"InByOut", 1, "in_by_out">]>;
def MoE_WeightLayoutAttr : MoE_EnumAttr<MoE_WeightLayout, "weight_layout">;

def MoE_ExchangeForm : MoE_I32Enum<"ExchangeForm", "form of an exchange", [
    I32EnumCase<"FlatExact", 0, "flat_exact">,
    I32EnumCase<"FlatBounded", 1, "flat_bounded">]>;
def MoE_ExchangeFormAttr : MoE_EnumAttr<MoE_ExchangeForm, "exchange_form">;

def MoE_ReplicaTableAttr : MoE_Attr<"ReplicaTable", "replica_table"> {
  let summary = "which replica of an expert serves which tokens";
  let description = [{
    `<17: [on 0 from 0, on 5 from 4 class 40]>`: of expert 17, the replica on
    rank 0 serves the tokens that source ranks 0 to 3 hold, and of source rank 4
    those whose global index mod 64, their *class*, is below 40; the replica on
    rank 5 serves all that follow. Each entry holds up to the next one, in the
    order of (source rank, class); moving its `from` moves load in steps of a
    64th of a rank's tokens.

    `hosts` are the ranks of the entries; `begins` their first cells, a cell
    being `source rank * 64 + class`: 0 first, then ascending.
  }];
  let parameters = (ins "int64_t":$expert, ArrayRefParameter<"int64_t">:$hosts,
                        ArrayRefParameter<"int64_t">:$begins);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The classes that the tokens of a rank fall into.
    static constexpr int64_t kTokenClasses = 64;
  }];
}

def MoE_PlannedLayerAttr : MoE_Attr<"PlannedLayer", "planned_layer"> {
  let summary = "what a program is to do for a layer of the model";
  let description = [{
    `<3 by @x0 at @p3 sends [4096] returns [2048]>`: layer 3 exchanges rows as
    `moe.exchange @x0` says, with the ranks of `moe.placement @p3`, and a row
    has 4096 bytes on its way to an expert and 2048 on its way back. Where a
    layer has several dispatches of one layout, there is a size for each, in
    ascending order. There is no `at` where the placement is an argument of the
    program. `<3>`: a call of the layer exchanges nothing, as of a dense one.

    `name` is a number or a string, as `moe.layer` has it. `number` is that of
    the layer's `moe.use_placement`, and is written where it is not the name:
    `<"encoder.1" number 1 by @x0 at …>`; -1 without an exchange.
  }];
  let parameters = (ins "::mlir::Attribute":$name, "int64_t":$number,
                        "::mlir::FlatSymbolRefAttr":$exchange,
                        "::mlir::FlatSymbolRefAttr":$placement,
                        ArrayRefParameter<"int64_t">:$sends,
                        ArrayRefParameter<"int64_t">:$returns);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Of a call that exchanges nothing.
    static PlannedLayerAttr get(::mlir::Attribute name);
  }];
}

// Numbered as moert_phase.
def MoE_PhaseKind : MoE_I32Enum<"PhaseKind", "what a rank spends its time on", [
    I32EnumCase<"Router", 0, "router">, I32EnumCase<"Layout", 1, "layout">,
    I32EnumCase<"Permute", 2, "permute">, I32EnumCase<"Exchange", 3, "exchange">,
    I32EnumCase<"Experts", 4, "experts">, I32EnumCase<"Shared", 5, "shared">,
    I32EnumCase<"Combine", 6, "combine">, I32EnumCase<"Other", 7, "other">]>;
def MoE_PhaseKindAttr : MoE_EnumAttr<MoE_PhaseKind, "phase_kind">;

#endif // MOE_ATTRIBUTES
