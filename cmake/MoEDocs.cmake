# The target moe-docs: the reference of both dialects and of all passes, from
# their TableGen descriptions, in <build>/docs/. Not part of `all`.
set(moe_docs_folder ${PROJECT_BINARY_DIR}/docs)
set(moe_docs_pages)

# moe_add_page(<page> <source.td> <generator option>...)
function(moe_add_page page source)
  set(output ${moe_docs_folder}/${page}.md)
  get_filename_component(folder ${output} DIRECTORY)
  get_filename_component(source_folder ${source} DIRECTORY)
  file(GLOB sources CONFIGURE_DEPENDS ${source_folder}/*.td)
  list(TRANSFORM MLIR_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE upstream)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} ${source} -o ${output}
      -I ${source_folder} -I ${PROJECT_SOURCE_DIR}/dialects ${upstream}
    DEPENDS ${sources} COMMENT "Writing docs/${page}.md" VERBATIM)
  set(moe_docs_pages ${moe_docs_pages} ${output} PARENT_SCOPE)
endfunction()

moe_add_page(Dialects/comm ${PROJECT_SOURCE_DIR}/dialects/comm/CommOps.td
  -gen-dialect-doc -dialect=comm)
moe_add_page(Dialects/moe ${PROJECT_SOURCE_DIR}/dialects/moe/MoEOps.td
  -gen-dialect-doc -dialect=moe)

# include/moe/Transforms/Plan/Passes.td is documented in Passes/Transforms/Plan.md.
file(GLOB_RECURSE moe_docs_passes CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/include/moe/*/Passes.td)
foreach(source ${moe_docs_passes})
  file(RELATIVE_PATH area ${PROJECT_SOURCE_DIR}/include/moe ${source})
  get_filename_component(area ${area} DIRECTORY)
  moe_add_page(Passes/${area} ${source} -gen-pass-doc)
endforeach()

add_custom_target(moe-docs DEPENDS ${moe_docs_pages})
