# What `cmake --install` puts into a prefix: programs, the plugin, the C library,
# and the package MoEMLIR, through which a consumer links our libraries to the
# same MLIR:
#
#   find_package(MoEMLIR REQUIRED CONFIG)
#   target_link_libraries(foo-opt PRIVATE MoEMLIR::MoERegistration)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(MOE_PACKAGE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/MoEMLIR)

# moe_install_library(<target>): a library of the package. Programs of this
# build know it by the same name as those of a consumer.
function(moe_install_library target)
  install(TARGETS ${target} EXPORT MoEMLIRTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  add_library(MoEMLIR::${target} ALIAS ${target})
endfunction()

# moe_install_program(<target>): finds MLIR where it was found here.
function(moe_install_program target)
  install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  set_target_properties(${target} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endfunction()

# moe_install_c_library(<target>): a library for consumers without MLIR, with
# <target>.pc.in.
function(moe_install_c_library target)
  install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  set_target_properties(${target} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  moe_install_pkg_config(${target})
endfunction()

# moe_install_pkg_config(<name>): <name>.pc.in of this folder becomes
# <libdir>/pkgconfig/<name>.pc, which finds the prefix from where it lies.
function(moe_install_pkg_config name)
  file(RELATIVE_PATH MOE_PREFIX_FROM_PC
    /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  configure_file(${name}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# moe_install_package(): called once, when all libraries are known.
function(moe_install_package)
  install(TARGETS moe_llvm_interface moe_mlir_interface EXPORT MoEMLIRTargets)
  install(EXPORT MoEMLIRTargets NAMESPACE MoEMLIR:: DESTINATION ${MOE_PACKAGE_FOLDER})
  configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/MoEMLIRConfig.cmake.in
    ${PROJECT_BINARY_DIR}/MoEMLIRConfig.cmake
    INSTALL_DESTINATION ${MOE_PACKAGE_FOLDER})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/MoEMLIRConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES
    ${PROJECT_BINARY_DIR}/MoEMLIRConfig.cmake
    ${PROJECT_BINARY_DIR}/MoEMLIRConfigVersion.cmake
    DESTINATION ${MOE_PACKAGE_FOLDER})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/moe ${PROJECT_SOURCE_DIR}/include/moe-c
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/include/moe
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h.inc
    PATTERN CMakeFiles EXCLUDE)
endfunction()
