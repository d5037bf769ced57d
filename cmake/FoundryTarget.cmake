# One way to make a target, so that every library and program has the same warnings, the same strict Qt
# defines and an explicit link line. A link line is the architecture: see docs/ARCHITECTURE.md.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_AUTOMOC ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set_property(GLOBAL PROPERTY USE_FOLDERS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

include(FoundryTidy)

add_library(foundry_strict INTERFACE)
target_compile_options(foundry_strict INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor
    -Woverloaded-virtual -Wimplicit-fallthrough -Wcast-qual -Wundef)
# With the sanitizers gcc 12 loses track of std::optional and std::variant and warns of what cannot happen.
if(FOUNDRY_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(foundry_strict INTERFACE -Wno-maybe-uninitialized)
endif()
target_compile_definitions(foundry_strict INTERFACE
    QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_CAST_FROM_BYTEARRAY QT_NO_URL_CAST_FROM_STRING QT_NO_KEYWORDS
    QT_NO_FOREACH QT_NO_JAVA_STYLE_ITERATORS QT_NO_NARROWING_CONVERSIONS_IN_CONNECT
    QT_DISABLE_DEPRECATED_BEFORE=0x060400
    FOUNDRY_VERSION="${PROJECT_VERSION}")

set(FOUNDRY_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")
if(FOUNDRY_SANITIZE)
    add_compile_options(-fsanitize=${FOUNDRY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${FOUNDRY_SANITIZE})
endif()

# foundry_sources(OUT DIR...): the .cpp and .h files right in the named folders (not below them).
function(foundry_sources out)
    set(files)
    foreach(dir IN LISTS ARGN)
        file(GLOB found CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.h")
        list(APPEND files ${found})
    endforeach()
    list(FILTER files EXCLUDE REGEX "/main\\.cpp$")
    set(${out} ${files} PARENT_SCOPE)
endfunction()

# foundry_library(NAME DIRS a b LINKS x y [PRIVATE_LINKS z] [SOURCES extra.cpp])
function(foundry_library name)
    cmake_parse_arguments(arg "" "" "DIRS;LINKS;PRIVATE_LINKS;SOURCES" ${ARGN})
    foundry_sources(files ${arg_DIRS})
    add_library(${name} STATIC ${files} ${arg_SOURCES})
    target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PUBLIC ${arg_LINKS} PRIVATE foundry_strict ${arg_PRIVATE_LINKS})
endfunction()

# foundry_program(NAME SOURCES main.cpp LINKS x y)
function(foundry_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE ${arg_LINKS} foundry_strict)
endfunction()

# foundry_test(NAME LABEL unit LINKS x [SOURCES a.cpp] [TIMEOUT 60] [ENV A=1]): one Qt Test program, one CTest entry.
# The source is NAME.cpp unless SOURCES says otherwise.
function(foundry_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "LABEL;LINKS;SOURCES;ENV;DEPENDS" ${ARGN})
    if(NOT arg_SOURCES)
        set(arg_SOURCES ${name}.cpp)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    add_executable(${name} ${arg_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests" UNITY_BUILD OFF)
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE ${arg_LINKS} Qt6::Test foundry_strict)
    if(arg_DEPENDS)
        add_dependencies(${name} ${arg_DEPENDS})
    endif()
    target_compile_definitions(${name} PRIVATE FOUNDRY_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
        FOUNDRY_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
    # Every test runs behind the same fence: private XDG folders, no display, and a look for processes left behind.
    # The fence keeps the time, ctest's own limit is behind it; the sanitizers make everything some three times slower.
    if(FOUNDRY_SANITIZE)
        math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 3")
    endif()
    math(EXPR hard_limit "${arg_TIMEOUT} + 20")
    add_test(NAME ${name} COMMAND "${PROJECT_SOURCE_DIR}/tests/support/fence" --timeout ${arg_TIMEOUT} $<TARGET_FILE:${name}>)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${hard_limit}
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;FOUNDRY_BIN_DIR=${CMAKE_BINARY_DIR}/bin;${arg_ENV}"
        SKIP_RETURN_CODE 77)
endfunction()
