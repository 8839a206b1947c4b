// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Diagnostic.h"

#include "moe/Formats/FileError.h"
#include "moe/Runner/RankRun.h"

using namespace moe::runner;

moe_diagnostic::moe_diagnostic(moe_status status, SourceDiagnostic reported)
    : status(status), reported(std::move(reported)),
      text(this->reported.toString()) {
  for (const SourceDiagnostic &note : this->reported.notes) {
    notes.emplace_back(status, note);
  }
}

moe_diagnostic *moe::capi::makeDiagnostic(moe_status status,
                                          const llvm::Twine &message) {
  SourceDiagnostic reported;
  reported.message = message.str();
  return new moe_diagnostic(status, std::move(reported));
}

/// A longer struct is none at all: its size was never set.
static constexpr size_t largestStruct = 4096;

moe_diagnostic *moe::capi::checkSize(const void *given, size_t size,
                                     size_t first, size_t known) {
  if (size < first || size > largestStruct) {
    return makeDiagnostic(MOE_VERSION_MISMATCH,
                          "expected struct_size " + llvm::Twine(known) +
                              ", but got " + llvm::Twine(size));
  }
  const char *bytes = static_cast<const char *>(given);
  for (size_t place = known; place < size; ++place) {
    if (bytes[place] != 0) {
      return makeDiagnostic(MOE_VERSION_MISMATCH,
                            "byte " + llvm::Twine(place) +
                                " is set, but this library knows only " +
                                llvm::Twine(known));
    }
  }
  return nullptr;
}

/// The place of a file's error, as of a module's.
static SourceDiagnostic toReported(const moe::formats::FileError &wrong) {
  SourceDiagnostic reported;
  reported.file = wrong.getPlace().file;
  reported.line = wrong.getPlace().line;
  reported.column = wrong.getPlace().column;
  reported.message = wrong.getMessage();
  return reported;
}

moe_diagnostic *moe::capi::toDiagnostic(llvm::Error error) {
  moe_diagnostic *result = nullptr;
  llvm::handleAllErrors(
      std::move(error),
      [&](const SourceError &wrong) {
        result = new moe_diagnostic(MOE_WRONG_INPUT, wrong.diagnostic());
      },
      [&](const moe::formats::FileError &wrong) {
        result = new moe_diagnostic(MOE_WRONG_INPUT, toReported(wrong));
      },
      [&](const RankFailure &failure) {
        result = makeDiagnostic(MOE_RANK_FAILED, failure.message());
      },
      [&](const llvm::ErrorInfoBase &wrong) {
        result = makeDiagnostic(MOE_WRONG_INPUT, wrong.message());
      });
  return result;
}

uint32_t moe_abi_version(void) { return MOE_ABI_VERSION; }

const char *moe_version(void) { return MOE_VERSION; }

moe_status moe_diagnostic_status(const moe_diagnostic *diagnostic) {
  return diagnostic ? diagnostic->status : MOE_OK;
}

moe_severity moe_diagnostic_severity(const moe_diagnostic *diagnostic) {
  switch (diagnostic->reported.severity) {
  case Severity::Note:
    return MOE_NOTE;
  case Severity::Remark:
    return MOE_REMARK;
  case Severity::Warning:
    return MOE_WARNING;
  case Severity::Error:
    return MOE_ERROR;
  }
  llvm_unreachable("unknown severity");
}

const char *moe_diagnostic_message(const moe_diagnostic *diagnostic) {
  return diagnostic->reported.message.c_str();
}

const char *moe_diagnostic_file(const moe_diagnostic *diagnostic) {
  return diagnostic->reported.file.c_str();
}

int64_t moe_diagnostic_line(const moe_diagnostic *diagnostic) {
  return diagnostic->reported.line;
}

int64_t moe_diagnostic_column(const moe_diagnostic *diagnostic) {
  return diagnostic->reported.column;
}

int64_t moe_diagnostic_note_count(const moe_diagnostic *diagnostic) {
  return static_cast<int64_t>(diagnostic->notes.size());
}

const moe_diagnostic *moe_diagnostic_note(const moe_diagnostic *diagnostic,
                                          int64_t index) {
  if (index < 0 || index >= moe_diagnostic_note_count(diagnostic)) {
    return nullptr;
  }
  return &diagnostic->notes[index];
}

const char *moe_diagnostic_text(const moe_diagnostic *diagnostic) {
  return diagnostic->text.c_str();
}

void moe_diagnostic_destroy(moe_diagnostic *diagnostic) { delete diagnostic; }

const char *moe_text_data(const moe_text *text) { return text->bytes.c_str(); }

size_t moe_text_size(const moe_text *text) { return text->bytes.size(); }

void moe_text_destroy(moe_text *text) { delete text; }
