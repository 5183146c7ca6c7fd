#!/usr/bin/env bash
# Every alert has its heading in deploy/README.md with meaning, where to look and what to do; every file of deploy/
# that it names is there, and what was measured is said in README.md alone.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

guide=deploy/README.md
mapfile -t alerts < <(cat deploy/prometheus/alerts.yml 2>/dev/null | sed -n 's/^ *- alert: *//p')
mapfile -t headings < <(sed -n 's/^### `\([A-Za-z]*\)`.*/\1/p' "$guide")
((${#headings[@]} >= 6)) || wrong "$guide has ${#headings[@]} alerts, and there are six to be told of"
for alert in "${alerts[@]}"; do
    [[ " ${headings[*]} " == *" $alert "* ]] || wrong "$guide says nothing about the alert $alert"
done
for heading in "${headings[@]}"; do
    if ((${#alerts[@]})) && [[ " ${alerts[*]} " != *" $heading "* ]]; then
        wrong "$guide tells of $heading, which is no alert"
    fi
    part=$(sed -n "/^### \`$heading\`/,\$p" "$guide" | sed '2,${/^##/,$d}')
    for word in 'Means' 'Look at' 'Do'; do
        [[ $part == *"**$word:**"* ]] || wrong "$heading: '$word:' is missing"
    done
done
sed -n '/^| file/,/^$/s/^| \(.*\) | .* |$/\1/p' "$guide" | grep -o '`[^`]*`' | tr -d '`' | while read -r file; do
    [[ -e deploy/$file ]] || wrong "$guide names $file, and it is not there"
done

capacity=$(sed -n '/^## Capacity/,/^## /p' "$guide")
[[ $capacity == *'](../README.md#build-test-measure)'* ]] || wrong "$guide does not say where the figures stand"
grep -q '^## Build, test, measure$' README.md || wrong 'README.md has no such heading'
grep -q 'peak memory' README.md || wrong 'README.md names no peak memory'
copied=$(grep -nE '[0-9]+,[0-9]{3} (events|one by one|in groups)|[0-9] MB' <<<"$capacity" || true)
[[ -z $copied ]] || wrong "these figures age, and belong into README.md: $copied"
copied=$(grep -nE '[0-9] MB' deploy/kubernetes/deployment.yaml || true)
[[ -z $copied ]] || wrong "these figures age, and belong into README.md: $copied"
