// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- moe.h - The compiler behind a C interface -----------------*- C -*-===//
//
// Modules in, plans and running layers out. C11 and C++17. Rules that hold
// everywhere:
//
// * Modules cross the interface as MLIR's text or bytecode, reports as JSON:
//   no type of MLIR or LLVM does.
// * What can fail returns a moe_diagnostic: null when all went well, else an
//   error that the caller destroys. Outputs come last and are written on
//   success only.
// * A `_create`, `_parse`, `_import`, `_compile`, `_join` or a moe_text that is
//   returned is owned by the caller; `_destroy` takes null. A program needs
//   neither its module nor its context any more; a rank needs its program, a
//   module its context.
// * Structs that cross the interface begin with `struct_size`, which the caller
//   sets to sizeof the struct as compiled; all other fields may be zero, and a
//   null pointer to options stands for a struct of zeros. moert/moert.h has the
//   same rule: a struct shorter than the library's is an older caller's, and
//   the fields that it lacks are zero, which is the default of every field that
//   is ever appended. A longer one is a newer caller's, and is taken where all
//   that the library does not know is zero; else it is MOE_VERSION_MISMATCH, so
//   that nothing which was asked for is passed over. So is a struct shorter
//   than its first version.
// * Fields called `reserved` are 0.
// * Contexts are independent. A context with its modules, and a program, are
//   used by one thread at a time; the ranks of a program by one thread each.
// * The library prints nothing, installs no signal handler and does not end
//   the process.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_C_MOE_H
#define MOE_C_MOE_H

#include "moert/compiled.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MOE_EXPORT __attribute__((visibility("default")))
#else
#define MOE_EXPORT
#endif

/// Changes when a caller must be recompiled. New functions, and fields appended
/// to an option struct, do not change it.
#define MOE_ABI_VERSION 1

/// The version that the library was built with.
MOE_EXPORT uint32_t moe_abi_version(void);
/// The project's version, such as "0.1.0".
MOE_EXPORT const char *moe_version(void);

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

/// What is wrong, or worth knowing, and where.
typedef struct moe_diagnostic moe_diagnostic;

typedef int32_t moe_severity;
enum { MOE_NOTE = 0, MOE_REMARK = 1, MOE_WARNING = 2, MOE_ERROR = 3 };

typedef int32_t moe_status;
enum {
  MOE_OK = 0,
  /// The module, an option or an argument is wrong.
  MOE_WRONG_INPUT = 1,
  /// A rank failed, or ranks diverged or stalled.
  MOE_RANK_FAILED = 3,
  /// A struct_size that this library does not know.
  MOE_VERSION_MISMATCH = 4
};

/// MOE_OK for null.
MOE_EXPORT moe_status moe_diagnostic_status(const moe_diagnostic *diagnostic);
MOE_EXPORT moe_severity
moe_diagnostic_severity(const moe_diagnostic *diagnostic);
/// One line, without position and notes. All texts live as long as the
/// diagnostic.
MOE_EXPORT const char *moe_diagnostic_message(const moe_diagnostic *diagnostic);
/// The file, as it was named to the library; "" where none is known.
MOE_EXPORT const char *moe_diagnostic_file(const moe_diagnostic *diagnostic);
/// From 1; 0 where it is not known.
MOE_EXPORT int64_t moe_diagnostic_line(const moe_diagnostic *diagnostic);
MOE_EXPORT int64_t moe_diagnostic_column(const moe_diagnostic *diagnostic);
MOE_EXPORT int64_t moe_diagnostic_note_count(const moe_diagnostic *diagnostic);
/// A note, owned by the diagnostic; null for an index that is none.
MOE_EXPORT const moe_diagnostic *
moe_diagnostic_note(const moe_diagnostic *diagnostic, int64_t index);
/// "file:line:column: message; note; note"
MOE_EXPORT const char *moe_diagnostic_text(const moe_diagnostic *diagnostic);
MOE_EXPORT void moe_diagnostic_destroy(moe_diagnostic *diagnostic);

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// Bytes that the library hands out; a zero byte follows them.
typedef struct moe_text moe_text;
MOE_EXPORT const char *moe_text_data(const moe_text *text);
MOE_EXPORT size_t moe_text_size(const moe_text *text);
MOE_EXPORT void moe_text_destroy(moe_text *text);

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

/// What modules live in: dialects, types, and threads for passes.
typedef struct moe_context moe_context;

typedef struct moe_context_options {
  uint32_t struct_size;
  /// 1: passes use the calling thread only.
  uint32_t single_threaded;
  /// Receives warnings and remarks, which live during the call, on the thread
  /// that called the library; null: they are dropped.
  void (*listener)(void *state, const moe_diagnostic *diagnostic);
  void *listener_state;
} moe_context_options;

MOE_EXPORT moe_diagnostic *
moe_context_create(const moe_context_options *options, moe_context **context);
MOE_EXPORT void moe_context_destroy(moe_context *context);

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

typedef struct moe_module moe_module;

/// Reads a module, text or bytecode, and verifies it. `name` stands for the
/// file in diagnostics.
MOE_EXPORT moe_diagnostic *moe_module_parse(moe_context *context,
                                            const char *data, size_t size,
                                            const char *name,
                                            moe_module **module);

typedef struct moe_import_options {
  uint32_t struct_size;
  uint32_t reserved;
  /// Only the first layers of each stack; 0: all.
  int64_t layers;
  /// A static number of tokens; 0: any, up to 8192.
  int64_t tokens;
  /// Tokens of a sequence, where capacity is per sequence; 0: all are one.
  int64_t sequence_length;
  /// "bf16", "f32" or "f16"; null: as the configuration says.
  const char *dtype;
} moe_import_options;

/// The decoder that a Hugging Face config.json describes, at the model level.
MOE_EXPORT moe_diagnostic *
moe_module_import_hf_config(moe_context *context, const char *data, size_t size,
                            const char *name, const moe_import_options *options,
                            moe_module **module);

/// Runs passes and pipelines in MLIR's notation, without the outer
/// "builtin.module(…)": "moe-extract-layer,moe-plan-pipeline{mesh=ep=8}". After
/// a failure the module is good for moe_module_destroy only.
MOE_EXPORT moe_diagnostic *moe_module_run(moe_module *module,
                                          const char *pipeline);

typedef int32_t moe_format;
enum { MOE_TEXT = 0, MOE_BYTECODE = 1 };
MOE_EXPORT moe_diagnostic *moe_module_write(const moe_module *module,
                                            moe_format format, moe_text **text);

typedef int32_t moe_report;
enum {
  /// Which rank hosts which expert: what moe-print-placement prints.
  MOE_REPORT_PLACEMENT = 0,
  /// Bytes and times by link: what moe-print-traffic prints.
  MOE_REPORT_TRAFFIC = 1
};
/// A report of a planned module, as JSON: {"title", "tables": [{"title",
/// "units", "rows", "notes"}], "notes"}.
MOE_EXPORT moe_diagnostic *
moe_module_report(const moe_module *module, moe_report report, moe_text **json);
MOE_EXPORT void moe_module_destroy(moe_module *module);

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

/// A layer of experts that was taken out of a model, or the public function of
/// a module with any number of them, compiled for this machine, with its
/// weights. It goes from one [tokens, columns] tensor to another.
typedef struct moe_program moe_program;

/// A function that a module declares and the caller brings, by the name that
/// the module gives it. moert/compiled.h says how it is called and what it must
/// not do, at `moert_matrix`; `address` is such a function, cast. Of moert it
/// may call nothing but the two functions below.
typedef struct moe_function {
  const char *name;
  void (*address)(void);
} moe_function;

/// What such a function may ask of its frame: the rank that it runs on.
MOE_EXPORT int32_t moe_frame_rank(const moert_frame *frame);
/// Ends the job with MOE_RANK_FAILED and this message, for what is wrong in
/// such a function. The function returns then as it always does.
MOE_EXPORT void moe_frame_fail(moert_frame *frame, const char *message);

/// What is asked of planning, by the names that options of moe-plan-pipeline
/// and flags of moe-run have: {"placement", "joint"}, {"loads", "loads.json"}.
typedef struct moe_plan_option {
  const char *name;
  const char *value;
} moe_plan_option;

typedef struct moe_compile_options {
  uint32_t struct_size;
  /// Number of ranks, for a module that is not planned: the mesh ep=N. 0: as
  /// the mesh or the module says.
  int32_t ranks;
  /// Mesh axes ("dp=2,ep=4"); null: as `ranks` or the module says.
  const char *mesh;
  /// A file with the cluster's topology; null: none, or the module's.
  const char *topology;
  /// The model's number or name of the layer; "all": the model's function, with
  /// all of its layers; null: its first MoE layer, or the public function of a
  /// module without a model (a function with `moe.role = "model"`).
  const char *layer;
  /// "native", or LLVM's name of a CPU; null: native, or a bundle's own.
  const char *cpu;
  /// A safetensors file, index or directory; null: random weights by `seed`.
  const char *weights;
  uint64_t seed;
  /// A run fails when no rank gets further for so long, in seconds; 0: 60.
  double deadline;
  /// Ranks of moe_program_run that compute at a time; 0: as many as cores.
  int32_t cores;
  uint32_t reserved;
  /// `function_count` functions, which must live as long as the program; null:
  /// none.
  const moe_function *functions;
  int64_t function_count;
  /// `plan_option_count` choices of planning beside `mesh` and `topology`;
  /// null: none. A module that is planned, or a bundle, must agree with all of
  /// them.
  const moe_plan_option *plan_options;
  int64_t plan_option_count;
  /// 1: the plan that the module came with is forgotten first.
  uint32_t replan;
  /// 1: nothing else happens while rows travel.
  uint32_t no_overlap;
  /// Bytes of memory for weights, beyond which they lie in a file; 0: most of
  /// what is free.
  int64_t weight_memory;
} moe_compile_options;

/// Takes the program out of a module of any level up to planned, plans it where
/// it is not, compiles it and loads its weights. The module is not changed.
MOE_EXPORT moe_diagnostic *
moe_program_compile(const moe_module *module,
                    const moe_compile_options *options, moe_program **program);

/// Opens a bundle that moe-compile has written; nothing is compiled. Where the
/// options name a layer, a mesh, a topology or a CPU, these must be the
/// bundle's.
MOE_EXPORT moe_diagnostic *moe_program_open(const char *path,
                                            const moe_compile_options *options,
                                            moe_program **program);

typedef struct moe_program_facts {
  uint32_t struct_size;
  /// Of the input, and of a layer's output: MOERT_F32 or MOERT_BF16.
  moert_dtype dtype;
  int64_t ranks;
  /// Columns of the input, and of a layer's output.
  int64_t hidden;
  /// Of the first layer, and how many of them a token takes; 0 without one.
  int64_t experts;
  int64_t choices;
  /// The most tokens that a run takes.
  int64_t max_tokens;
  /// Not 0: the only number of tokens that a run takes.
  int64_t static_tokens;
  /// Layers of experts.
  int64_t layers;
  /// Columns and type of the output.
  int64_t output_columns;
  moert_dtype output_dtype;
  uint32_t reserved;
} moe_program_facts;
/// The caller sets struct_size; all other fields are zero.
MOE_EXPORT moe_diagnostic *moe_program_get_facts(const moe_program *program,
                                                 moe_program_facts *facts);

typedef struct moe_layer_facts {
  uint32_t struct_size;
  uint32_t reserved;
  /// As the model calls it, or ""; lives as long as the program.
  const char *name;
  int64_t experts;
  /// Experts of a token.
  int64_t choices;
} moe_layer_facts;
/// One layer of experts, 0 <= index < moe_program_facts.layers, in the order in
/// which they run. The caller sets struct_size; all other fields are zero.
MOE_EXPORT moe_diagnostic *moe_program_get_layer(const moe_program *program,
                                                 int64_t index,
                                                 moe_layer_facts *facts);

/// Buffers of the caller, row-major, rows back to back, aligned to their
/// elements.
typedef struct moe_buffers {
  uint32_t struct_size;
  uint32_t reserved;
  /// Number of tokens of all ranks together.
  int64_t tokens;
  /// [rows, hidden] and [rows, output_columns], each in its type.
  const void *input;
  void *output;
  /// [rows, choices] of each layer, one layer after the other: the experts of
  /// each token, -1 for none, and their weights; may be null.
  int32_t *experts;
  float *expert_weights;
} moe_buffers;

/// Runs the program on all ranks, as threads of this process; the buffers hold
/// all tokens, in their order. `stats`, if not null, receives moe-run's report
/// as JSON: time by phase, bytes by link, load by rank.
MOE_EXPORT moe_diagnostic *moe_program_run(moe_program *program,
                                           const moe_buffers *buffers,
                                           moe_text **stats);
MOE_EXPORT void moe_program_destroy(moe_program *program);

//===----------------------------------------------------------------------===//
// Ranks of a host program
//===----------------------------------------------------------------------===//

/// One rank of a program on a thread of the caller.
typedef struct moe_rank moe_rank;

/// Makes the calling thread a rank: a collective call of all ranks, which meet
/// through the caller's table (of as many ranks as the program has, all in this
/// process).
MOE_EXPORT moe_diagnostic *moe_rank_join(const moe_program *program,
                                         const moert_bootstrap *bootstrap,
                                         moe_rank **rank);

/// A part of [tokens, columns].
typedef struct moe_part {
  int64_t first_row;
  int64_t rows;
  int64_t first_column;
  int64_t columns;
} moe_part;
/// What a rank holds of the input and of the output.
MOE_EXPORT moe_part moe_rank_input_part(const moe_rank *rank, int64_t tokens);
MOE_EXPORT moe_part moe_rank_output_part(const moe_rank *rank, int64_t tokens);

/// Runs the program: a collective call of all ranks, with the same number of
/// tokens. The buffers hold this rank's part and are used where they are. After
/// a failure of a rank the job has ended, and every later call fails.
MOE_EXPORT moe_diagnostic *moe_rank_run(moe_rank *rank,
                                        const moe_buffers *buffers);
/// Leaves the job, which fails for the ranks that still run.
MOE_EXPORT void moe_rank_destroy(moe_rank *rank);

#ifdef __cplusplus
}
#endif

#endif // MOE_C_MOE_H
