// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of the C interface share.
#ifndef MOE_TEST_CAPI_HOST_H
#define MOE_TEST_CAPI_HOST_H

#include "moe-c/moe.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(int condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "error: %s\n", what);
    exit(1);
  }
}

/// Ends the test unless the call succeeded.
static void succeed(moe_diagnostic *error) {
  if (error) {
    fprintf(stderr, "error: %s\n", moe_diagnostic_text(error));
    exit(1);
  }
}

/// Ends the test unless the call failed with this message.
static void expectError(moe_diagnostic *error, moe_status status,
                        const char *message) {
  require(error != NULL, message);
  if (moe_diagnostic_status(error) != status ||
      !strstr(moe_diagnostic_message(error), message)) {
    fprintf(stderr, "error: expected status %d and '%s', but got %d and '%s'\n",
            (int)status, message, (int)moe_diagnostic_status(error),
            moe_diagnostic_text(error));
    exit(1);
  }
  moe_diagnostic_destroy(error);
}

static char *readFile(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  require(file != NULL, path);
  require(fseek(file, 0, SEEK_END) == 0, path);
  *size = (size_t)ftell(file);
  require(fseek(file, 0, SEEK_SET) == 0, path);
  char *text = malloc(*size + 1);
  require(text && fread(text, 1, *size, file) == *size, path);
  fclose(file);
  return text;
}

/// The module of a configuration, its first layer planned for ranks.
static inline moe_module *makePlanned(moe_context *context, const char *path,
                                      const char *pipeline) {
  size_t size = 0;
  char *text = readFile(path, &size);
  moe_module *module = NULL;
  succeed(
      moe_module_import_hf_config(context, text, size, path, NULL, &module));
  free(text);
  succeed(moe_module_run(module, pipeline));
  return module;
}

/// Tokens that are all different.
static float *makeTokens(int64_t count) {
  float *values = malloc((size_t)count * sizeof(float));
  require(values != NULL, "memory");
  for (int64_t i = 0; i < count; ++i) {
    values[i] = (float)((i * 37 % 101) - 50) / 64.0f;
  }
  return values;
}

#endif // MOE_TEST_CAPI_HOST_H
