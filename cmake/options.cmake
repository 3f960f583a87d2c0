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

# The standard library's headers, precompiled once for modules with exceptions and once without.
file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cpp "")
foreach(kind IN ITEMS pch pch_realtime)
  add_library(rltune_${kind} OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cpp)
  target_link_libraries(rltune_${kind} PRIVATE rltune_options)
  target_precompile_headers(rltune_${kind} PRIVATE
    <algorithm> <array> <atomic> <chrono> <cmath> <cstddef> <cstdint> <cstring> <deque> <expected> <filesystem> <format>
    <functional> <limits> <map> <memory> <mutex> <numeric> <optional> <print> <ranges> <span> <string> <string_view>
    <thread> <unordered_map> <utility> <variant> <vector>)
endforeach()
target_compile_options(rltune_pch_realtime PRIVATE -fno-exceptions)
