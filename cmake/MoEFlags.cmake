# moe_add_flags(<tool>): the flags that Options.td of this folder lists, for
# tools/flags/FlagTable.h. TableGen for flags comes with llvm-22, beside the one
# for dialects.
function(moe_add_flags tool)
  find_program(LLVM_TABLEGEN_EXE llvm-tblgen HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)
  set(LLVM_TARGET_DEFINITIONS Options.td)
  tablegen(LLVM Options.inc -gen-opt-parser-defs
    EXTRA_INCLUDES ${PROJECT_SOURCE_DIR}/tools/flags)
  add_public_tablegen_target(${tool}-flags)
  target_include_directories(${tool} PRIVATE
    ${CMAKE_CURRENT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/tools/flags)
  add_dependencies(${tool} ${tool}-flags)
endfunction()
