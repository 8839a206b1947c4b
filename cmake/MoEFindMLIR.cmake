# Finds the distribution's LLVM/MLIR 22.1 and defines the interface target
# moe_mlir_interface: headers, flags and the *shared* MLIR and LLVM libraries
# (moe_llvm_interface: without MLIR).
# Upstream's per-component targets are never linked: they would drag static
# archives in beside libMLIR.so and duplicate every TypeID.
find_program(LLVM_CONFIG_22 NAMES llvm-config-22 HINTS /usr/lib/llvm-22/bin)
if(LLVM_CONFIG_22 AND NOT MLIR_DIR)
  execute_process(COMMAND ${LLVM_CONFIG_22} --prefix
    OUTPUT_VARIABLE MOE_LLVM_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(MLIR_DIR ${MOE_LLVM_PREFIX}/lib/cmake/mlir)
  set(LLVM_DIR ${MOE_LLVM_PREFIX}/lib/cmake/llvm)
endif()
find_package(MLIR 22.1 REQUIRED CONFIG)
message(STATUS "MLIR ${MLIR_VERSION} in ${MLIR_DIR}")

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

separate_arguments(MOE_LLVM_DEFINITIONS NATIVE_COMMAND ${LLVM_DEFINITIONS})

# Paths and flags stay in this build: a consumer of the package has its own.
function(moe_add_interface name)
  cmake_parse_arguments(ARG "" "" "HEADERS;UPSTREAM;LINK" ${ARGN})
  list(REMOVE_DUPLICATES ARG_UPSTREAM)
  add_library(${name} INTERFACE)
  target_include_directories(${name} SYSTEM INTERFACE "$<BUILD_INTERFACE:${ARG_UPSTREAM}>")
  target_include_directories(${name} INTERFACE "$<BUILD_INTERFACE:${ARG_HEADERS}>")
  target_compile_definitions(${name} INTERFACE ${MOE_LLVM_DEFINITIONS})
  target_compile_options(${name} INTERFACE
    $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-Wall>>
    $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-Wextra>>
    $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-Wno-unused-parameter>>
    $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>>)
  target_link_libraries(${name} INTERFACE ${ARG_LINK})
endfunction()

moe_add_interface(moe_mlir_interface
  HEADERS ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include
  UPSTREAM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS}
  LINK MLIR LLVM)
# For libraries that must not see MLIR.
moe_add_interface(moe_llvm_interface
  HEADERS ${PROJECT_SOURCE_DIR}/include
  UPSTREAM ${LLVM_INCLUDE_DIRS}
  LINK LLVM)

# TableGen takes its include paths from here.
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
