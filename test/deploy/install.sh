#!/usr/bin/env bash
# The installers know the packages of the three systems, say in words that they know no other, and leave Ubuntu
# without the browser that apt-get cannot install there.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

command -v dpkg-query >/dev/null || left_out 'dpkg-query is not installed'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export OS_RELEASE_FILE=$folder/os-release

# packages_on ID VERSION SCRIPT ARGUMENT…: the set that the script would have on that system.
packages_on() {
    printf 'NAME="Some %s"\nID=%s\nVERSION_ID="%s"\n' "$1" "$1" "$2" >"$OS_RELEASE_FILE"
    shift 2
    "$@" --dry-run >"$folder/said" 2>&1 || return 1
    grep -q '^missing: ' "$folder/said" || wrong "$* does not say what is missing"
    sed -n 's/^packages: //p' "$folder/said"
}

# has SET PACKAGE: whether it is in the set, as the only choice or as one of several.
has() {
    [[ " ${1//|/ } " == *" $2 "* ]]
}

needed=(g++ cmake ninja-build libssl-dev libpq-dev libhiredis-dev libsimdjson-dev libspdlog-dev libcli11-dev
    libtomlplusplus-dev prometheus-cpp-dev)
for system in 'debian 12 libboost1.81-dev' 'debian 13 libboost-dev' 'ubuntu 24.04 libboost-dev'; do
    read -r id version boost <<<"$system"
    set_of=$(packages_on "$id" "$version" deploy/install.sh --build --demo) || wrong "$system: $(cat "$folder/said")"
    for package in "${needed[@]}" "$boost"; do
        has "$set_of" "$package" || wrong "$id $version: $package is missing in: $set_of"
    done
    tests=$(packages_on "$id" "$version" test/install.sh) || wrong "$system: $(cat "$folder/said")"
    for package in "$boost" doctest-dev pgbouncer redis-sentinel; do
        has "$tests" "$package" || wrong "$id $version: the tests' $package is missing in: $tests"
    done
    if [[ $id == ubuntu ]]; then
        ! has "$tests" chromium || wrong "Ubuntu's chromium is a snap: $tests"
    else
        has "$tests" chromium-driver || wrong "$id $version: chromium-driver is missing in: $tests"
    fi
done
# 1.74, which is too old.
! has "$(packages_on debian 12 deploy/install.sh --build)" libboost-dev || wrong "Debian 12 has too old a libboost-dev"

for system in 'fedora 42' 'debian 11' 'ubuntu 22.04'; do
    read -r id version <<<"$system"
    if packages_on "$id" "$version" deploy/install.sh --build >/dev/null; then wrong "$system counts as known"; fi
    grep -qF "this is $system, and Debian 12, Debian 13 or Ubuntu 24.04 is needed" "$folder/said" ||
        wrong "$system is refused without words: $(cat "$folder/said")"
    grep -qF 'POSTRIDER_SKIP_INSTALL=1' "$folder/said" || wrong "$system: nobody says what to do there"
done
