#!/usr/bin/env bash
# Cloud Run takes Knative's Service: the file is one, and holds what the service cannot do without there.
set -euo pipefail
. "$(dirname "$0")/tools.sh"
. test/deploy/typed.sh
command -v jq >/dev/null || left_out 'jq is not installed'

file=deploy/cloudrun/service.yaml
# Knative's published kind lacks the startup probe, which Cloud Run takes in the shape of the other two.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed 's/startupProbe:/readinessProbe:/' "$file" >"$folder/service.yaml"
check_objects "$folder/service.yaml" || wrong "$file is not what its kind allows; see above"

# Read as an object, because the comments name the same words.
as_json "$file" | jq -s . >"$folder/service.json"
annotated() { holds "$folder/service.json" "$1 is not $2" ".[0].spec.template.metadata.annotations[\"$1\"] == \"$2\""; }
annotated run.googleapis.com/cpu-throttling false
annotated autoscaling.knative.dev/minScale 1
annotated autoscaling.knative.dev/maxScale 2
has() { holds "$folder/service.json" "$1" ".[0].spec.template.spec.containers[0] | $2"; }
for probe in startupProbe livenessProbe; do
    has "the $probe does not ask whether it is alive" ".$probe.httpGet.path == \"/health/liveness\""
done
has 'a readiness probe would keep a start waiting for a server' '.readinessProbe == null'
has 'the resources are not limited' '.resources.limits | .cpu == "1" and .memory != null'
for variable in POSTGRES_URL REDIS_URL; do
    has "$variable does not come from a secret" \
        ".env[] | select(.name == \"$variable\") | .value == null and .valueFrom.secretKeyRef.name != null"
done
