#!/usr/bin/env bash
# Checks the format, then runs clang-tidy over lib and app with the repository's .clang-tidy.
#
#   test/lint.sh [PATTERN]   only the files whose path matches, e.g. lib/event
set -euo pipefail
cd "$(dirname "$0")/.."

test/format.sh
if ! command -v run-clang-tidy >/dev/null && ! command -v run-clang-tidy-14 >/dev/null; then
    echo "lint: clang-tidy is not installed (Debian's package clang-tidy)" >&2
    exit 1
fi
runner=$(command -v run-clang-tidy-14 || command -v run-clang-tidy)

# Without precompiled headers: clang-tidy would need them built first.
cmake --preset clang -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DPOSTRIDER_TESTS=OFF >/dev/null
"$runner" -quiet -p build/lint -j "$(nproc)" "^$PWD/(lib|app)/.*${1:-}"
echo "lint: clean"
