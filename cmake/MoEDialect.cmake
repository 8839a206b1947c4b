# moe_add_dialect(<name> <folder>)
# Generates the declarations and definitions of dialects/<name>/<Name>*.td into
# <build>/include/moe/Dialect/<folder>/ and the target moe_<name>_tablegen.
# Expected files: <Folder>Dialect.td, <Folder>Attributes.td, <Folder>Types.td,
# <Folder>Ops.td (which includes the others), <Folder>Interfaces.td when present.
function(moe_add_dialect name folder)
  set(source ${CMAKE_CURRENT_SOURCE_DIR})
  include_directories(${PROJECT_SOURCE_DIR}/dialects)
  set(LLVM_TARGET_DEFINITIONS ${source}/${folder}Ops.td)
  mlir_tablegen(${folder}Dialect.h.inc -gen-dialect-decls -dialect=${name})
  mlir_tablegen(${folder}Dialect.cpp.inc -gen-dialect-defs -dialect=${name})
  mlir_tablegen(${folder}Attributes.h.inc -gen-attrdef-decls -attrdefs-dialect=${name})
  mlir_tablegen(${folder}Attributes.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${name})
  mlir_tablegen(${folder}Types.h.inc -gen-typedef-decls -typedefs-dialect=${name})
  mlir_tablegen(${folder}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${name})
  mlir_tablegen(${folder}Ops.h.inc -gen-op-decls -dialect=${name})
  mlir_tablegen(${folder}Ops.cpp.inc -gen-op-defs -dialect=${name})
  # Enums have no dialect filter: take the file that includes no other dialect.
  set(LLVM_TARGET_DEFINITIONS ${source}/${folder}Attributes.td)
  mlir_tablegen(${folder}Enums.h.inc -gen-enum-decls)
  mlir_tablegen(${folder}Enums.cpp.inc -gen-enum-defs)
  if(EXISTS ${source}/${folder}Interfaces.td)
    set(LLVM_TARGET_DEFINITIONS ${source}/${folder}Interfaces.td)
    mlir_tablegen(${folder}Interfaces.h.inc -gen-op-interface-decls)
    mlir_tablegen(${folder}Interfaces.cpp.inc -gen-op-interface-defs)
  endif()
  add_public_tablegen_target(moe_${name}_tablegen)
endfunction()
