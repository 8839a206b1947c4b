# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One layer of a model through the C interface, with nothing but ctypes."""

import array
import ctypes
import json
import sys
from ctypes import byref, c_char_p, c_int64, c_size_t, c_uint32, c_void_p

moe = ctypes.CDLL(sys.argv[1])
moe.moe_diagnostic_text.restype = moe.moe_text_data.restype = c_char_p


class Buffers(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("tokens", c_int64)] + [
        (name, c_void_p) for name in ("input", "output", "experts", "expert_weights")]


def call(name, *arguments):
    """Calls what can fail and gives what it writes to its last parameter."""
    function, result = getattr(moe, "moe_" + name), c_void_p()
    function.restype = c_void_p
    error = function(*arguments, byref(result))
    if error:
        raise ValueError(moe.moe_diagnostic_text(c_void_p(error)).decode())
    return result


with open(sys.argv[2], "rb") as file:
    config = file.read()
context = call("context_create", None)
module = call("module_import_hf_config", context, config, c_size_t(len(config)),
              sys.argv[2].encode(), None)
call("module_run", module, b"moe-extract-layer,moe-plan-pipeline{mesh=ep=4}")
placement = json.loads(moe.moe_text_data(call("module_report", module, 0)))
program = call("program_compile", module, None)
tokens, hidden = 6, json.loads(config)["hidden_size"]
x = array.array("f", (i % 7 / 8 for i in range(tokens * hidden)))
y = array.array("f", bytes(4 * tokens * hidden))
buffers = Buffers(ctypes.sizeof(Buffers), 0, tokens, x.buffer_info()[0], y.buffer_info()[0])
stats = json.loads(moe.moe_text_data(call("program_run", program, byref(buffers))))
assert any(y) and stats["title"] == "moe-run" and placement["tables"]
try:
    call("module_parse", context, b"moe.", c_size_t(4), b"none.mlir")
except ValueError as wrong:
    print(f"{tokens} tokens on {len(placement['tables'])} tables of experts; {wrong}")
