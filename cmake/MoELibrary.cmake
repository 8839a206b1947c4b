# The precompiled header that every library of the compiler shares.
file(WRITE ${PROJECT_BINARY_DIR}/moe_precompiled.cpp "")
add_library(moe_precompiled OBJECT ${PROJECT_BINARY_DIR}/moe_precompiled.cpp)
target_link_libraries(moe_precompiled PUBLIC moe_mlir_interface)
# A header that comes out of a compiler cache has another time than the one that
# it was made from.
target_compile_options(moe_mlir_interface INTERFACE
  $<BUILD_INTERFACE:$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>>)
target_precompile_headers(moe_precompiled PRIVATE
  <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h>
  <mlir/Dialect/Func/IR/FuncOps.h> <mlir/Dialect/LLVMIR/LLVMDialect.h>
  <mlir/Dialect/Linalg/IR/Linalg.h> <mlir/Dialect/MemRef/IR/MemRef.h>
  <mlir/Dialect/SCF/IR/SCF.h> <mlir/Dialect/Tensor/IR/Tensor.h>
  <mlir/IR/PatternMatch.h> <mlir/Pass/PassManager.h> <mlir/Transforms/DialectConversion.h>
  <llvm/ADT/STLExtras.h>)

# moe_add_library(<name> <source>... LINK <library>... DEPENDS <target>...)
# A static library of the compiler. DEPENDS names TableGen targets.
function(moe_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC moe_mlir_interface ${ARG_LINK})
  target_precompile_headers(${name} REUSE_FROM moe_precompiled)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  moe_install_library(${name})
endfunction()

# moe_add_plain_library(<name> <source>... LINK <library>...)
# A library that must not see MLIR: planning, file formats. LLVM's Support
# headers are allowed.
function(moe_add_plain_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC moe_llvm_interface ${ARG_LINK})
  moe_install_library(${name})
endfunction()
