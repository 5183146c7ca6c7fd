#!/usr/bin/env bash
# systemd understands the unit without a word of complaint, and calls its exposure at most 1.5 of 10.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

command -v systemd-analyze >/dev/null || left_out 'systemd-analyze is not installed'
unit=deploy/systemd/postrider.service
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# It wants the program to be there.
sed 's|^ExecStart=/usr/local/bin/postrider|ExecStart=/bin/true|' "$unit" >"$folder/postrider.service"
said=$(systemd-analyze verify "$folder/postrider.service" 2>&1 | grep -F postrider || true)
[[ -z $said ]] || wrong "$said"
systemd-analyze security --offline=true --threshold=15 "$folder/postrider.service" >"$folder/said" 2>&1 ||
    wrong "$(tail -n 1 "$folder/said")"
tail -n 1 "$folder/said"
