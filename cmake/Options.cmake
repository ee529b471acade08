# How every target of ours is compiled. Linked PRIVATE, so nothing of it leaks into a user of a library.
add_library(todo_options INTERFACE)

option(TODO_WERROR "Treat warnings as errors" OFF)
set(TODO_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize= (for example address,undefined)")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

target_include_directories(todo_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(todo_options INTERFACE _GNU_SOURCE)
target_compile_options(todo_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
    $<$<BOOL:${TODO_WERROR}>:-Werror>
    -fno-omit-frame-pointer)

if(TODO_SANITIZE)
    target_compile_options(todo_options INTERFACE -fsanitize=${TODO_SANITIZE} -fno-sanitize-recover=undefined)
    target_link_options(todo_options INTERFACE -fsanitize=${TODO_SANITIZE})
    # The libraries too, or a fuzzer sees nothing of what its inputs reach.
    if(TODO_FUZZ)
        target_compile_options(todo_options INTERFACE -fsanitize=fuzzer-no-link)
    endif()
else()
    # The OpenSSF list; the sanitizers disagree with FORTIFY_SOURCE, hence not both.
    target_compile_options(todo_options INTERFACE
        -fstack-protector-strong -fstack-clash-protection
        $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection>
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
    target_link_options(todo_options INTERFACE -Wl,-z,relro,-z,now
        $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    if(NOT TODO_SANITIZE)
        include(CheckIPOSupported)
        check_ipo_supported(RESULT todo_ipo LANGUAGES C)
        set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${todo_ipo})
    endif()
endif()

find_program(TODO_CCACHE ccache)
if(TODO_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${TODO_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${TODO_CCACHE})
endif()
