#!/usr/bin/env bash
# Compose understands deploy/compose.yaml, all five services are in it, and every file that it mounts is there.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

file=deploy/compose.yaml
if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
else
    left_out 'docker compose is not installed'
fi
services=$("${compose[@]}" -f "$file" config --services | sort | paste -sd' ') || wrong 'Compose refuses it'
[[ $services == 'grafana postgres postrider prometheus redis' ]] || wrong "the services are: $services"
sed -n 's/^ *- \(\.[^:]*\):.*/\1/p' "$file" | while read -r mounted; do
    [[ -e deploy/$mounted ]] || wrong "deploy/$mounted is mounted, and is not there"
done
