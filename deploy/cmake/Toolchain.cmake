# Language level, warnings, sanitizers, output places.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# CHECKs are ours and always on; frame pointers keep profiles readable.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG -fno-omit-frame-pointer")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${CCACHE_PROGRAM})
endif()

option(TRIREME_WERROR "Treat warnings as errors" ON)
# Applied to our own targets only: generated and foreign code is not ours.
add_library(trireme_warnings INTERFACE)
# Members have default initializers: leaving some out is meant.
target_compile_options(trireme_warnings INTERFACE -Wall -Wextra
  -Wno-missing-field-initializers
  $<$<BOOL:${TRIREME_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)

set(TRIREME_SANITIZE "" CACHE STRING "address,undefined or thread")
if(TRIREME_SANITIZE)
  add_compile_options(-fsanitize=${TRIREME_SANITIZE} -fno-sanitize-recover=all)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Seen through the instrumentation, an empty optional looks uninitialized.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  add_link_options(-fsanitize=${TRIREME_SANITIZE})
endif()

# With clang: coverage everywhere, for the libFuzzer targets of tests/fuzz.
option(TRIREME_FUZZ "Build the libFuzzer targets (clang only)" OFF)
if(TRIREME_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

include_directories(${CMAKE_SOURCE_DIR})
