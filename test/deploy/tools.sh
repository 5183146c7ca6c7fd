# Sourced by the scripts beside it. Each of them checks one folder of deploy/ and ends with 0, with 1 after words on
# what is wrong, or with 77 after words on what is left out.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

wrong() {
    printf '%s: %s\n' "$0" "$*"
    exit 1
}

left_out() {
    printf 'left out: %s: %s\n' "$(basename "$0")" "$*"
    exit 77
}

# Programs from npm, of fixed versions, kept in the tests' cache; sets $node_tools.
need_node_tools() {
    local cache=${POSTRIDER_TEST_CACHE:-build/test-cache}
    node_tools=$cache/deploy-tools-1
    command -v npm >/dev/null || left_out 'npm is not installed'
    mkdir -p "$cache"
    exec 9>"$node_tools.lock"
    flock 9
    if [[ ! -e $node_tools/complete ]]; then
        # A registry that just stalled would hold up the next check as long again.
        if [[ -n $(find "$node_tools.failed" -mmin -30 2>/dev/null) ]]; then
            left_out 'npm could not install the checkers a moment ago'
        fi
        rm -rf "$node_tools"
        mkdir "$node_tools"
        timeout 60 npm install --prefix "$node_tools" --no-audit --no-fund --ignore-scripts --loglevel=error \
            kubernetes-models@5.1.0 @kubernetes-models/knative@2.4.4 @kubernetes-models/prometheus-operator@6.0.0 \
            dockerfile-utils@0.16.3 js-yaml@4.1.0 typescript@5.9.3 >"$node_tools.log" 2>&1 ||
            {
                touch "$node_tools.failed"
                left_out "npm could not install the checkers: $(tail -n 1 "$node_tools.log")"
            }
        touch "$node_tools/complete"
    fi
    node_tools=$(cd "$node_tools" && pwd)
    flock -u 9
}
