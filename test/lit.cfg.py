# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of tools and passes: .mlir and .test files with RUN lines."""

import os

import lit.formats

config.name = "moe-mlir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Reference", "Unit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.moe_build_folder, "test")

config.environment["PATH"] = os.pathsep.join(
    [config.moe_tools_folder, config.llvm_tools_folder, config.environment["PATH"]]
)
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.substitutions.append(("%inputs", os.path.join(config.test_source_root, "Inputs")))
config.substitutions.append(("%plugin", os.path.join(config.moe_build_folder, "lib", "MoEMLIRPlugin.so")))
if not config.moe_sanitizers:
    # A program without a sanitizer's runtime cannot load what was built for one.
    config.available_features.add("plugin")
config.substitutions.append(("%python", config.python_executable))
