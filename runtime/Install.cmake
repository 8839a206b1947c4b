# The package moert (moert::moert) and its pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(moert_package ${CMAKE_INSTALL_LIBDIR}/cmake/moert)

install(TARGETS moert moert-emulator EXPORT moertTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT moertTargets NAMESPACE moert:: DESTINATION ${moert_package})
install(DIRECTORY include/moert DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(moertConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/moertConfig.cmake INSTALL_DESTINATION ${moert_package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/moertConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/moertConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/moertConfigVersion.cmake
  DESTINATION ${moert_package})

# The file finds the prefix from where it lies.
file(RELATIVE_PATH MOERT_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(moert.pc.in ${CMAKE_CURRENT_BINARY_DIR}/moert.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/moert.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
