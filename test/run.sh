#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. The last line says "N passed, N failed", counted in
# test cases; the exit status is 0 only where all passed.
#
#   test/run.sh [--preset NAME] [PROGRAM…]
#
#   --preset NAME   test (the default), sanitize, thread, debug, clang
#   PROGRAM         only these, e.g. unit_event 'integration_*'; every one otherwise
#
#   POSTRIDER_SKIP_INSTALL=1   installs nothing
#   POSTRIDER_TEST_LIMIT=900   seconds after which a program counts as hung
#   POSTRIDER_TEST_JOBS=1      integration programs at once; unit programs always go two at once
set -euo pipefail
cd "$(dirname "$0")/.."

preset='test'
filters=()
waiting=()
passed=0
failed=0

fail() {
    printf 'test/run.sh: %s\n' "$*" >&2
    exit 1
}

stop_running() {
    local running
    mapfile -t running < <(jobs -pr)
    if ((${#running[@]})); then kill "${running[@]}" 2>/dev/null || true; fi
}

wanted() {
    local filter
    if ((${#filters[@]} == 0)); then return 0; fi
    for filter in "${filters[@]}"; do
        # shellcheck disable=SC2053  # the filter is a pattern
        if [[ $1 == $filter ]]; then return 0; fi
    done
    return 1
}

# The names of the test programs of one kind, as ctest knows them.
programs() {
    local name
    ctest --test-dir "build/$preset" -N | sed -n 's/^ *Test *#[0-9]*: *//p' | while read -r name; do
        if [[ $name == "$1"_* ]] && wanted "$name"; then echo "$name"; fi
    done
}

run_program() {
    local status=0 started=$SECONDS program
    timeout --kill-after=20 "${POSTRIDER_TEST_LIMIT:-900}" "build/$preset/$1" >"$logs/$1.log" 2>&1 </dev/null &
    program=$!
    trap 'kill "$program"' TERM
    # The shell's own line about a crash says less than the report.
    wait "$program" 2>/dev/null || status=$?
    echo "$status $((SECONDS - started))" >"$logs/$1.status"
}

# run_programs AT_ONCE NAME…
run_programs() {
    local at_once=$1 name running
    shift
    waiting=("$@")
    for name in "$@"; do rm -f "$logs/$name.status"; done
    for name in "$@"; do
        while mapfile -t running < <(jobs -pr) && ((${#running[@]} >= at_once)); do wait -n || true; done
        report_finished
        run_program "$name" &
    done
    wait
    report_finished
    # A program without a status was ended together with its shell.
    for name in "${waiting[@]}"; do report "$name"; done
}

# In the order started.
report_finished() {
    while ((${#waiting[@]})) && [[ -e $logs/${waiting[0]}.status ]]; do
        report "${waiting[0]}"
        waiting=("${waiting[@]:1}")
    done
}

report() {
    local status=none seconds=0 good=0 bad=0 ending=''
    if [[ -e $logs/$1.status ]]; then read -r status seconds <"$logs/$1.status"; fi
    # "[doctest] test cases: 12 | 11 passed | 1 failed | 0 skipped"
    read -r good bad < <(sed -n 's/^\[doctest\] test cases: *[0-9]* *| *\([0-9]*\) passed *| *\([0-9]*\) failed.*/\1 \2/p' \
        "$logs/$1.log" | tail -n 1 | grep . || echo '0 0')
    case $status in
        0 | 1) ;;
        124 | 137) ending=", hung: ended after ${POSTRIDER_TEST_LIMIT:-900} s" ;;
        *) ending=", crashed: status $status" ;;
    esac
    # A program that ends badly without a failed case, in the leak check for one, must not look green.
    if [[ $status != 0 ]] && ((bad == 0)); then bad=1; fi
    if ((good + bad == 0)); then
        bad=1
        ending=', ran no test'
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    if ((bad)); then
        cat "$logs/$1.log"
        {
            printf '%s%s\n' "$1" "$ending"
            failed_cases "$logs/$1.log"
        } >>"$logs/failures"
    fi
    printf '%-28s %4d passed, %d failed in %d s%s\n' "$1" "$good" "$bad" "$seconds" "$ending"
    # A check whose tool is missing passes, and says so.
    grep -oh 'left out: .*' "$logs/$1.log" || true
}

# What doctest wrote of each failed case, each shortened: a run's output is often kept by its end alone.
failed_cases() {
    awk -v RS='=====+' '/:[0-9]+: (FATAL )?ERROR: |Sanitizer|runtime error/ {
        n = split($0, line, "\n")
        for (i = 1; i <= n; ++i) if (i <= 14 || i > n - 10) print substr(line[i], 1, 240)
    }' "$1" | head -c 3000
}

while (($#)); do
    case $1 in
        --preset)
            preset=${2-}
            [[ -n $preset ]] || fail "--preset needs a name, e.g. sanitize"
            shift
            ;;
        -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
        -*) fail "unknown option $1; known are --preset and --help" ;;
        *) filters+=("$1") ;;
    esac
    shift
done

if [[ ${POSTRIDER_SKIP_INSTALL:-} != 1 ]]; then test/install.sh; fi
cmake --preset "$preset"
cmake --build --preset "$preset" -j "$(nproc)"

logs=build/$preset/test-logs
mkdir -p "$logs" build/test-cache
: >"$logs/failures"
export POSTRIDER_TEST_CACHE=${POSTRIDER_TEST_CACHE:-$PWD/build/test-cache}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
trap stop_running EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mapfile -t unit < <(programs unit)
mapfile -t integration < <(programs integration)
if ((${#unit[@]} + ${#integration[@]} == 0)); then fail "no test program is called ${filters[*]:-anything}"; fi
run_programs 2 "${unit[@]}"
run_programs "${POSTRIDER_TEST_JOBS:-1}" "${integration[@]}"

cat "$logs/failures"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
