#!/usr/bin/env bash
# Cloud Run takes Knative's Service: the file is one, and holds what the service cannot do without there.
set -euo pipefail
. "$(dirname "$0")/tools.sh"
. test/deploy/typed.sh

file=deploy/cloudrun/service.yaml
for line in 'run.googleapis.com/cpu-throttling: "false"' 'autoscaling.knative.dev/minScale: "1"'; do
    grep -qF "$line" "$file" || wrong "$line is missing"
done
# Knative's published kind lacks the startup probe, which Cloud Run takes in the shape of the other two.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed 's/startupProbe:/readinessProbe:/' "$file" >"$folder/service.yaml"
check_objects "$folder/service.yaml" || wrong "$file is not what its kind allows; see above"
