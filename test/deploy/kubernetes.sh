#!/usr/bin/env bash
# The objects that Kustomize makes of deploy/kubernetes are what their kinds allow.
set -euo pipefail
. "$(dirname "$0")/tools.sh"
. test/deploy/typed.sh

made=$(mktemp --suffix=.yaml)
trap 'rm -f "$made"' EXIT
if command -v kubectl >/dev/null; then
    kubectl kustomize deploy/kubernetes >"$made" || wrong 'Kustomize cannot build it'
else
    echo 'kubectl is not installed, so the files are checked as they stand'
    for file in deploy/kubernetes/*.yaml; do
        if [[ $file != */kustomization.yaml ]]; then
            printf -- '---\n'
            cat "$file"
        fi
    done >"$made"
fi
check_objects "$made" || wrong 'an object is not what its kind allows; see above'
for kind in Deployment PodDisruptionBudget NetworkPolicy ServiceMonitor Service ServiceAccount; do
    grep -q "^kind: $kind\$" "$made" || wrong "there is no $kind"
done
if grep -q '^kind: Secret' "$made"; then wrong 'a Secret stands in the repository'; fi
probes=$(awk '/[a-z]Probe:$/ { probe = $1 } / path: \/health/ { print probe $2 }' "$made" | sort | paste -sd' ')
[[ $probes == 'livenessProbe:/health/liveness readinessProbe:/health/readiness startupProbe:/health/liveness' ]] ||
    wrong "the probes are: $probes"
