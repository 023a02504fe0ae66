# find_package(mxr): the target mxr::mxr, with headers, C++17 and libmxr.
get_filename_component(_mxr_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET mxr::mxr)
  add_library(mxr::mxr SHARED IMPORTED)
  set_target_properties(mxr::mxr PROPERTIES
    IMPORTED_LOCATION "${_mxr_prefix}/lib/@SONAME@"
    IMPORTED_SONAME "@SONAME@"
    INTERFACE_INCLUDE_DIRECTORIES "${_mxr_prefix}/include"
    INTERFACE_LINK_LIBRARIES "${CMAKE_DL_LIBS}"
    INTERFACE_COMPILE_FEATURES cxx_std_17)
endif()
unset(_mxr_prefix)
