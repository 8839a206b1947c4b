# moe_limit_exports(<target> <version script>)
# A shared library exports what the script lists and nothing else, and every
# name that it uses is in a library that it is linked to.
function(moe_limit_exports target script)
  get_filename_component(script ${script} ABSOLUTE)
  target_link_options(${target} PRIVATE LINKER:--version-script=${script})
  set_target_properties(${target} PROPERTIES LINK_DEPENDS ${script})
  # The sanitizers' own functions are in the program.
  if(NOT MOE_SANITIZE)
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
endfunction()
