#!/usr/bin/env bash
# Checks that the sources are formatted as .clang-format says; with --fix, formats them.
set -euo pipefail
cd "$(dirname "$0")/.."

# Other versions lay some lines out differently, so that only this one can judge.
version=14
program=
for candidate in "clang-format-$version" clang-format; do
    if "$candidate" --version 2>/dev/null | grep -q "version $version\\."; then
        program=$candidate
        break
    fi
done
if [[ -z $program ]]; then
    echo "format: NOT CHECKED, for clang-format $version is not installed" >&2
    exit 0
fi

sources() {
    find app lib test -name '*.[ch]pp' -print0
}

if [[ ${1:-} == --fix ]]; then
    sources | xargs -0 -r "$program" -i
fi
found=$(sources | xargs -0 -r "$program" --dry-run 2>&1)
mapfile -t wrong < <(sed -n 's/:[0-9]*:[0-9]*: warning: .*//p' <<<"$found" | sort -u)
if ((${#wrong[@]})); then
    printf 'format: not as .clang-format says: %s\n' "${wrong[@]}" >&2
    echo "format: test/format.sh --fix mends them" >&2
    exit 1
fi
echo "format: checked"
