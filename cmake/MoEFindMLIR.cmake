# Finds the distribution's LLVM/MLIR 22.1 and defines the interface target
# moe_mlir_interface: headers, flags and the *shared* MLIR and LLVM libraries.
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

add_library(moe_mlir_interface INTERFACE)
target_include_directories(moe_mlir_interface SYSTEM INTERFACE
  ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_include_directories(moe_mlir_interface INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
target_compile_definitions(moe_mlir_interface INTERFACE ${MOE_LLVM_DEFINITIONS})
target_compile_options(moe_mlir_interface INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unused-parameter -fno-exceptions>)
target_link_libraries(moe_mlir_interface INTERFACE MLIR LLVM)

# TableGen takes its include paths from here.
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
