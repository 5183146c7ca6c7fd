#!/usr/bin/env bash
# From a fresh machine to the running service: installs what is missing, builds the release, and does the job.
#
#   deploy/run.sh [--for DURATION]
#
# With POSTGRES_URL and REDIS_URL set, it is the bridge between those two; every other variable is passed on.
# Without them it plays a demo: a Postgres and a Redis of its own on free loopback ports, a conversation, and the
# groups as they reach the list. --for 20s (1m, 1h) ends the demo by itself, with status 0 if nothing was lost and
# nothing doubled. Ctrl-C ends it at any time. POSTRIDER_SKIP_INSTALL=1 leaves out the installing, and
# POSTRIDER_PROGRAM=/path/of/postrider takes that program instead of building one.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage_error() {
    printf 'run: %s\n' "$*" >&2
    exit 2
}

# 20, 20s, 2m and 1h, in seconds.
seconds_of() {
    [[ $1 =~ ^0*([1-9][0-9]{0,5})(s|m|h|)$ ]] || return 1
    case ${BASH_REMATCH[2]} in
        m) echo $((BASH_REMATCH[1] * 60)) ;;
        h) echo $((BASH_REMATCH[1] * 3600)) ;;
        *) echo "${BASH_REMATCH[1]}" ;;
    esac
}

install_packages() {
    if [[ ${POSTRIDER_SKIP_INSTALL:-} == 1 ]]; then return; fi
    "$home/deploy/install.sh" --build "$@"
}

# A file of this project can take a gigabyte of memory to compile.
parallel_jobs() {
    local gigabytes processors
    gigabytes=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
    processors=$(nproc)
    echo $((gigabytes < 1 ? 1 : gigabytes < processors ? gigabytes : processors))
}

build() {
    local told
    cd "$home"
    if [[ -n ${POSTRIDER_PROGRAM:-} ]]; then return; fi
    if ! told=$(cmake --preset release 2>&1); then
        printf '%s\n' "$told" >&2
        printf 'run: CMake could not prepare the build; its own words stand above.\n' >&2
        exit 1
    fi
    if [[ ! -x build/release/postrider ]]; then printf 'Building the release; the first time takes a few minutes.\n'; fi
    if ! cmake --build --preset release --target postrider -j "${CMAKE_BUILD_PARALLEL_LEVEL:-$(parallel_jobs)}"; then
        printf 'run: the build failed; the messages stand above.\n' >&2
        exit 1
    fi
}

main() {
    local seconds=0 postgres redis
    while (($#)); do
        case $1 in
            --for) seconds=$(seconds_of "${2:-}") || usage_error "--for takes a duration such as 20s, 2m or 1h." && shift ;;
            --for=*) seconds=$(seconds_of "${1#--for=}") || usage_error "--for takes a duration such as 20s, 2m or 1h." ;;
            -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
            *) usage_error "unknown argument $1; known is --for DURATION." ;;
        esac
        shift
    done
    postgres=${POSTGRES_URL:-} redis=${REDIS_URL:-}
    if [[ -n $postgres && -n $redis ]]; then
        if ((seconds)); then usage_error "--for is for the demo; unset POSTGRES_URL and REDIS_URL to see it."; fi
        install_packages
        build
        exec "${POSTRIDER_PROGRAM:-build/release/postrider}" run
    elif [[ -n $postgres || -n $redis ]]; then
        usage_error "only one of POSTGRES_URL and REDIS_URL is set; set both for the bridge, or none for the demo."
    fi
    install_packages --demo
    build
    exec "$home/deploy/demo/demo.sh" "$seconds"
}

main "$@"
