# FOUNDRY_TIDY=ON (preset tidy): clang-tidy runs with every compilation, and the target `clazy` reads every source of the tree.
option(FOUNDRY_TIDY "Run clang-tidy while building and offer the target clazy" OFF)
if(NOT FOUNDRY_TIDY)
    return()
endif()

find_program(FOUNDRY_CLANG_TIDY NAMES clang-tidy REQUIRED)
# gcc's own warning options mean nothing to clang, and the two need not warn of the same.
set(CMAKE_CXX_CLANG_TIDY "${CMAKE_SOURCE_DIR}/cmake/tidy-one;${FOUNDRY_CLANG_TIDY};${CMAKE_SOURCE_DIR};--extra-arg=-Wno-unknown-warning-option")

find_program(FOUNDRY_CLAZY NAMES clazy-standalone)
if(FOUNDRY_CLAZY)
    add_custom_target(clazy
        COMMAND "${CMAKE_SOURCE_DIR}/cmake/clazy-all" "${FOUNDRY_CLAZY}" "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}"
        COMMENT "clazy, level 1" USES_TERMINAL VERBATIM)
endif()
