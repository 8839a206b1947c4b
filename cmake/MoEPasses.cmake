# moe_add_passes(<folder> <Name>): registration is mlir::…::registerMoE<Name>Passes().
# Generates the declarations of include/moe/<folder>/Passes.td into
# <build>/include/moe/<folder>/Passes.h.inc; the target is moe_<name>_passes.
function(moe_add_passes folder name)
  set(source ${PROJECT_SOURCE_DIR}/include/moe/${folder}/Passes.td)
  set(binary ${PROJECT_BINARY_DIR}/include/moe/${folder})
  file(MAKE_DIRECTORY ${binary})
  set(LLVM_TARGET_DEFINITIONS ${source})
  file(RELATIVE_PATH output ${CMAKE_CURRENT_BINARY_DIR} ${binary}/Passes.h.inc)
  mlir_tablegen(${output} -gen-pass-decls -name MoE${name})
  add_public_tablegen_target(moe_${name}_passes)
endfunction()
