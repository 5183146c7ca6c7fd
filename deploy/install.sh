#!/usr/bin/env bash
# Installs what is missing, and only that, on Debian 12 and 13 and Ubuntu 24.04, as root or through sudo.
#
#   deploy/install.sh [--build] [--demo] [--packages NAME…] [--dry-run]
#
#   --build          what building Postrider needs (also when no set is named)
#   --demo           what the demo of deploy/run.sh needs beside it: a Postgres, a Redis, jq
#   --packages …     the named packages; "a|b" is content with either and installs a
#   --dry-run        prints the set and what is missing of it, and installs nothing
#
# No system service is started, stopped or enabled by it, and no Postgres cluster is created.
# OS_RELEASE_FILE names another file than /etc/os-release, to see another system's set with --dry-run.
set -euo pipefail

policy_file=/usr/sbin/policy-rc.d
policy_mark='Put here by Postrider while it installs packages.'
cluster_file=/etc/postgresql-common/createcluster.conf
scratch=
root=()

fail() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

say() {
    printf 'install: %s\n' "$*" >&2
}

as_root() {
    "${root[@]}" "$@"
}

is_installed() {
    local status
    status=$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) || return 1
    [[ $status == installed ]]
}

# Which of the arguments are missing; of "a|b", a is named when neither is there.
missing_of() {
    local choice name found
    for choice in "$@"; do
        found=
        for name in ${choice//|/ }; do
            if is_installed "$name"; then found=yes; fi
        done
        if [[ -z $found ]]; then printf '%s\n' "${choice%%|*}"; fi
    done
}

boost_package() {
    local id version
    id=$(system_value ID)
    version=$(system_value VERSION_ID)
    # Debian 12's libboost-dev is 1.74; 1.81 lies beside it under its own name.
    case "$id $version" in
        "debian 12") echo libboost1.81-dev ;;
        debian\ 1[3-9] | "debian " | ubuntu\ 2[4-9].*) echo 'libboost-dev|libboost1.83-dev|libboost1.88-dev' ;;
        *) fail "this is ${id:-an unknown system} ${version}, and Debian 12, Debian 13 or Ubuntu 24.04 is needed." \
            "On another system install a C++20 compiler, CMake 3.25, Ninja, Boost 1.81, libpq, hiredis, simdjson," \
            "spdlog, OpenSSL, CLI11, toml++ and prometheus-cpp by hand, then set POSTRIDER_SKIP_INSTALL=1." ;;
    esac
}

system_value() {
    local file=${OS_RELEASE_FILE:-/etc/os-release}
    [[ -r $file ]] || fail "$file cannot be read, so the system is unknown."
    sed -n "s/^$1=\"\\{0,1\\}\\([^\"]*\\)\"\\{0,1\\}\$/\\1/p" "$file"
}

build_set() {
    local boost
    boost=$(boost_package)
    printf '%s\n' g++ cmake ninja-build 'pkg-config|pkgconf' "$boost" libssl-dev libpq-dev libhiredis-dev \
        libsimdjson-dev libspdlog-dev libcli11-dev libtomlplusplus-dev prometheus-cpp-dev
}

# A server that came from elsewhere (postgresql.org's packages, a build of one's own) serves as well.
demo_set() {
    if ! has_postgres; then echo postgresql; fi
    if ! command -v redis-server >/dev/null; then echo redis-server; fi
    if ! command -v redis-cli >/dev/null; then echo redis-tools; fi
    if ! command -v jq >/dev/null; then echo jq; fi
}

has_postgres() {
    command -v initdb >/dev/null && command -v postgres >/dev/null && return
    compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

become_root() {
    if ((EUID == 0)); then return; fi
    if ! command -v sudo >/dev/null; then
        fail "these packages are missing: $*. Installing them needs root, and there is no sudo here." \
            "As root run: apt-get install $*"
    fi
    root=(sudo)
}

# Debian asks this file before it starts, stops or restarts a service.
hold_services() {
    if [[ -e $policy_file ]] && ! grep -qF "$policy_mark" "$policy_file"; then
        if "$policy_file" postrider start >/dev/null 2>&1; then
            say "$policy_file is there and lets services start; it is left as it is."
        fi
        return
    fi
    printf '#!/bin/sh\n# %s\nexit 101\n' "$policy_mark" >"$scratch/policy"
    as_root install -m 755 "$scratch/policy" "$policy_file"
}

hold_clusters() {
    cp "$cluster_file" "$scratch/createcluster"
    { grep -v '^ *create_main_cluster' "$cluster_file"; echo 'create_main_cluster = false'; } >"$scratch/no-cluster"
    as_root cp "$scratch/no-cluster" "$cluster_file"
}

release_holds() {
    if [[ -e $scratch/createcluster ]]; then as_root cp "$scratch/createcluster" "$cluster_file"; fi
    if [[ -e $scratch/policy ]]; then as_root rm -f "$policy_file"; fi
    rm -rf "$scratch"
}

apt() {
    # Ubuntu's needrestart would restart services that have nothing to do with this.
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq "$@" >&2
}

apt_install() {
    # Without --no-remove, Boost 1.81 would silently take another Boost away.
    apt install -y --no-install-recommends --no-remove "$@" ||
        fail "apt-get could not install: $*. Its own words stand above. If it wanted to remove packages, decide" \
            "yourself with: sudo apt-get install $*; if it could not find one, enable Ubuntu's \"universe\"."
}

# What was installed for a demo or a test must not come up as a system service with the next boot.
leave_disabled() {
    local unit
    command -v systemctl >/dev/null || return 0
    for unit in $(dpkg -L "$@" | sed -n 's|.*/systemd/system/\([^/@]*\.service\)$|\1|p' | sort -u); do
        as_root systemctl disable --quiet "$unit" 2>/dev/null || say "$unit could not be disabled."
    done
}

install_missing() {
    become_root "$@"
    say "installing $*"
    scratch=$(mktemp -d)
    trap release_holds EXIT
    hold_services
    apt update || fail "apt-get update failed; its own words stand above."
    if [[ " $* " == *" postgresql"* ]]; then
        # It brings the file in which the creation of a cluster can be switched off.
        apt_install postgresql-common
        hold_clusters
    fi
    apt_install "$@"
    leave_disabled "$@"
}

main() {
    local dry_run='' sets='' wanted=() missing=()
    while (($#)); do
        case $1 in
            --build | --demo) sets+=" $1" ;;
            --dry-run) dry_run=yes ;;
            --packages)
                sets+=' --packages'
                while (($# > 1)) && [[ $2 != --* ]]; do
                    wanted+=("$2")
                    shift
                done
                ;;
            -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
            *) fail "unknown argument $1; known are --build, --demo, --packages and --dry-run." ;;
        esac
        shift
    done
    command -v dpkg-query >/dev/null || fail "dpkg-query is missing: this works on Debian and Ubuntu only."
    if [[ -z $sets || $sets == *--build* ]]; then
        boost_package >/dev/null || exit 1
        mapfile -t -O "${#wanted[@]}" wanted < <(build_set)
    fi
    if [[ $sets == *--demo* ]]; then mapfile -t -O "${#wanted[@]}" wanted < <(demo_set); fi
    mapfile -t missing < <(missing_of "${wanted[@]}")
    if [[ -n $dry_run ]]; then
        printf 'packages: %s\nmissing: %s\n' "${wanted[*]}" "${missing[*]}"
    elif ((${#missing[@]})); then
        install_missing "${missing[@]}"
    fi
}

main "$@"
