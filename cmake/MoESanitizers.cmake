# MOE_SANITIZE: empty, or a comma-separated list for -fsanitize= (address,undefined or thread).
set(MOE_SANITIZE "" CACHE STRING "Sanitizers to build with")
if(MOE_SANITIZE)
  add_compile_options(-fsanitize=${MOE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MOE_SANITIZE})
endif()
