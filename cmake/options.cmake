# Compiler options of everything we compile, as one interface target.
add_library(rltune_options INTERFACE)
target_compile_definitions(rltune_options INTERFACE RLTUNE_VERSION="${PROJECT_VERSION}")
target_compile_options(rltune_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:GNU>:-Wno-interference-size>
  # One rounding a source operation: the same bits on every instruction set.
  -ffp-contract=off
  -fdiagnostics-color=always)
if(RLTUNE_SANITIZE)
  target_compile_options(rltune_options INTERFACE -fsanitize=${RLTUNE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(rltune_options INTERFACE -fsanitize=${RLTUNE_SANITIZE})
endif()
if(RLTUNE_FUZZ)
  target_compile_options(rltune_options INTERFACE -fsanitize=fuzzer-no-link -Wno-error)
endif()

# Headers precompiled once: the standard library's for modules, with exceptions and without; with what programs
# and tests add besides.
set(standard_headers
  <algorithm> <array> <atomic> <chrono> <cmath> <cstddef> <cstdint> <cstring> <deque> <expected> <filesystem> <format>
  <functional> <limits> <map> <memory> <mutex> <numeric> <optional> <print> <ranges> <span> <string> <string_view>
  <thread> <unordered_map> <utility> <variant> <vector>)
set(quick_options $<$<CONFIG:Release>:-O1>)
file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cpp "")
function(rltune_pch name)
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/pch/empty.cpp)
  target_link_libraries(${name} PRIVATE rltune_options)
  target_precompile_headers(${name} PRIVATE ${standard_headers} ${ARGN})
endfunction()
rltune_pch(rltune_pch)
rltune_pch(rltune_pch_realtime)
target_compile_options(rltune_pch_realtime PRIVATE -fno-exceptions)
rltune_pch(rltune_pch_app <CLI/CLI.hpp> <nlohmann/json.hpp>)
target_compile_options(rltune_pch_app PRIVATE ${quick_options})
find_package(GTest QUIET)
if(GTest_FOUND)
  rltune_pch(rltune_pch_test <gmock/gmock.h> <gtest/gtest.h>)
  target_link_libraries(rltune_pch_test PRIVATE GTest::gmock)
  target_compile_options(rltune_pch_test PRIVATE ${quick_options})
endif()

# Programs wire and tests call what modules compute. Compiled a few files at a time and optimised lightly, since the
# same inline functions of gtest, CLI11 and the JSON library would otherwise be compiled in each: half of a clean build.
option(RLTUNE_UNITY "compile programs and tests a few files at a time" ON)
function(rltune_compile_quickly name precompiled)
  target_precompile_headers(${name} REUSE_FROM ${precompiled})
  target_compile_options(${name} PRIVATE ${quick_options})
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${RLTUNE_UNITY} UNITY_BUILD_BATCH_SIZE 4)
endfunction()
