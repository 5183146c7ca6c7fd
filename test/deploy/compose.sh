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

# What the containers read lies where it is mounted, and they find each other by these names.
config=$(sed -n 's/.*"--config.file=\([^"]*\)".*/\1/p' "$file")
mounted=$(sed -n "s#^ *- \(\./[^:]*\):$(dirname "$config")\(:ro\)\?\$#\1#p" "$file")
[[ -n $mounted && -f deploy/$mounted/$(basename "$config") ]] || wrong "Prometheus does not find $config"
grep -q '^ *- targets: \["postrider:8080"\]$' deploy/prometheus/prometheus.yml || wrong 'Prometheus does not find Postrider'
grep -q '^ *url: http://prometheus:9090$' deploy/grafana/datasource.yml || wrong 'Grafana does not find Prometheus'
