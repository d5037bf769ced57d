find_package(Qt6 6.4 REQUIRED COMPONENTS Core Network WebSockets)
find_package(Qt6 6.4 REQUIRED COMPONENTS Gui Widgets Svg DBus Sql)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3>=3.38)
pkg_check_modules(CMARK_GFM REQUIRED IMPORTED_TARGET libcmark-gfm)
find_library(CMARK_GFM_EXTENSIONS cmark-gfm-extensions REQUIRED)
find_package(simdjson REQUIRED)
find_package(Qt6Keychain REQUIRED)
if(FOUNDRY_TESTS)
    find_package(Qt6 6.4 REQUIRED COMPONENTS Test)
endif()

if(NOT FOUNDRY_NO_UI)
    # KDE Syntax-Highlighting: the distribution's own for Qt 6 where there is one, else a private prefix
    # (cmake/ksyntaxhighlighting-prefix, made by ./run and ./test). Nothing else knows which it was.
    find_package(KF6SyntaxHighlighting QUIET)
    if(NOT KF6SyntaxHighlighting_FOUND)
        find_package(KSyntaxHighlightingPrefix REQUIRED CONFIG
            PATHS "${PROJECT_SOURCE_DIR}/build/ksyntaxhighlighting" NO_DEFAULT_PATH)
    endif()
    add_library(foundry_syntax INTERFACE)
    target_link_libraries(foundry_syntax INTERFACE KF6::SyntaxHighlighting)
endif()
