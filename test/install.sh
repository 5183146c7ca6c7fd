#!/usr/bin/env bash
# Installs what building and testing need and is missing, on Debian 12 and 13 and Ubuntu 24.04, as root or
# through sudo. Nothing that is there is installed again and no system service is touched.
#
#   test/install.sh [--dry-run]
set -euo pipefail

cd "$(dirname "$0")/.."
# Ubuntu has Chromium as a snap alone, which apt-get cannot install here, so its tests are left out there.
browser=(chromium chromium-driver)
if grep -q '^ID=ubuntu' "${OS_RELEASE_FILE:-/etc/os-release}"; then browser=(); fi
# What judges the files of deploy/. A Node.js that came from elsewhere has its npm in itself, and Debian's would
# take it away.
judges=(systemd)
if ! command -v npm >/dev/null; then judges+=(npm); fi
exec deploy/install.sh --build --demo "$@" --packages \
    doctest-dev openssl curl jq redis-sentinel pgbouncer python3-redis python3-psycopg2 slowhttptest docker-compose prometheus "${judges[@]}" "${browser[@]}"
