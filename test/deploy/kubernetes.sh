#!/usr/bin/env bash
# The objects that Kustomize makes of deploy/kubernetes are what their kinds allow, belong together, and keep the
# promises of deploy/README.md.
set -euo pipefail
. "$(dirname "$0")/tools.sh"
. test/deploy/typed.sh
command -v jq >/dev/null || left_out 'jq is not installed'

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
made=$folder/made.yaml
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

as_json "$made" | jq -s . >"$folder/made.json"
# of KIND WORDS EXPRESSION: the expression is true of the object of that kind.
of() { holds "$folder/made.json" "$1: $2" "map(select(.kind == \"$1\"))[0] | $3"; }
pod='.spec.template.spec'
container="$pod.containers[0]"
of Deployment 'a leader and a standby make two' '.spec.replicas == 2'
of Deployment 'a ready one must stand by before another goes' \
    '.spec.strategy.rollingUpdate | .maxSurge == 1 and .maxUnavailable == 0'
of Deployment 'a stop of 8 s has too little time' "$pod.terminationGracePeriodSeconds > 8"
of Deployment 'resources are missing' \
    "$container.resources | [.requests, .limits] | all(.cpu != null and .memory != null)"
of Deployment 'it may be root' "$pod.securityContext | .runAsNonRoot == true and .runAsUser == 65532"
of Deployment 'its files may be written' "$container.securityContext.readOnlyRootFilesystem == true"
of Deployment 'it may gain rights' \
    "$container.securityContext | .allowPrivilegeEscalation == false and .capabilities == {drop: [\"ALL\"]}"
of Deployment 'its system calls are not bounded' "$pod.securityContext.seccompProfile.type == \"RuntimeDefault\""
of Deployment 'both replicas may stand on one node' \
    "any($pod.topologySpreadConstraints[]; .topologyKey == \"kubernetes.io/hostname\" and .maxSkew == 1)"
of Deployment 'the secret is not named' "any($container.envFrom[]; .secretRef.name == \"postrider\")"
of PodDisruptionBudget 'a drain may take both, or none' '.spec | .maxUnavailable == 1 and .minAvailable == null'
of NetworkPolicy 'not both ways are guarded' '.spec.policyTypes | sort == ["Egress", "Ingress"]'
of NetworkPolicy 'in goes more than the HTTP port' '[.spec.ingress[].ports[].port] == [8080]'
of ServiceAccount 'it may speak to Kubernetes' '.automountServiceAccountToken == false'

# Who chooses by labels finds what it is there for.
labels='(map(select(.kind == "Deployment"))[0].spec.template.metadata.labels)'
chosen() {
    holds "$folder/made.json" "the $1 does not choose the pods" \
        "$labels as \$labels | map(select(.kind == \"$1\"))[0].spec | $2 | length > 0 and (. as \$own | \$labels | contains(\$own))"
}
chosen Deployment .selector.matchLabels
chosen PodDisruptionBudget .selector.matchLabels
chosen NetworkPolicy .podSelector.matchLabels
chosen Service .selector
holds "$folder/made.json" 'the ServiceMonitor does not find the Service, or its port' '
    map(select(.kind == "Service"))[0] as $service | map(select(.kind == "ServiceMonitor"))[0].spec |
    (.selector.matchLabels | length > 0) and (.selector.matchLabels as $own | $service.metadata.labels | contains($own)) and
    .endpoints[0].path == "/metrics" and ([.endpoints[0].port] == [$service.spec.ports[].name])'
holds "$folder/made.json" 'the Service does not lead to the port of the container' '
    map(select(.kind == "Service"))[0].spec.ports[0].targetPort as $port |
    map(select(.kind == "Deployment"))[0].spec.template.spec.containers[0].ports[0] |
    .name == $port and .containerPort == 8080'
