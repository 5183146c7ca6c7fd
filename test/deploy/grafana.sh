#!/usr/bin/env bash
# Grafana's dashboard: Prometheus parses every query, every metric in it is one of test/golden/metrics.txt and each of
# those is shown, by labels that it has; every panel has a title, a word on what it means, a unit, and the data source
# that is chosen above; no two lie upon one another; and Compose puts the file where Grafana looks for it.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

board=${1:-deploy/grafana/postrider.json}
golden=test/golden/metrics.txt
command -v promtool >/dev/null || left_out 'promtool is not installed'
command -v jq >/dev/null || left_out 'jq is not installed'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

jq -e . "$board" >/dev/null || wrong "$board is no JSON"
ask() { jq -r "$1" "$board"; }

# must FILTER WORDS: the filter finds nothing.
must() {
    local found
    found=$(ask "[.panels[] | select(.type != \"row\")] as \$panels | $1")
    [[ -z $found ]] || wrong "$2: $found"
}
panel='$panels[] | "panel \(.id) \(.title)" as $name'
must "$panel | select((.title // \"\") == \"\" or (.description // \"\") == \"\") | \$name" 'no title or no description'
must "$panel | select((.fieldConfig.defaults.unit // \"\") == \"\") | \$name" 'no unit'
must "$panel | select(.datasource.uid != \"\${datasource}\") | \$name" 'not the chosen data source'
must "$panel | select((.targets | length) == 0) | \$name" 'no query'
must "$panel | .targets[] | select(.datasource.uid != \"\${datasource}\" or (.expr // \"\") == \"\") | \$name" 'a query without text or the chosen data source'
must "$panel | .targets[] | select(.expr | contains(\"instance=~\\\"\$instance\\\"\") | not) | \$name" 'not of the chosen instance'
must '.templating.list[] | select(.type == "query" and .datasource.uid != "${datasource}") | .name' 'a variable not of the chosen data source'
must '($panels | group_by(.id)[] | select(length > 1) | .[0].title)' 'one id twice'
must '[$panels[] | .gridPos as $g | range($g.x; $g.x + $g.w) as $x | range($g.y; $g.y + $g.h) as $y | "\($x) \($y)"] | group_by(.)[] | select(length > 1) | .[0]' 'panels upon one another at'
must '$panels[] | select(.gridPos.x + .gridPos.w > 24) | .title' 'wider than the page'
for variable in datasource instance route; do
    [[ $(ask "[.templating.list[].name] | index(\"$variable\")") != null ]] || wrong "no variable $variable"
done
[[ $(ask '.templating.list[] | select(.name == "datasource") | .type') == datasource ]] || wrong 'datasource is no choice'

# Every query, and those that fill the variables, as recording rules: what Prometheus itself would run.
jq '{groups: [{name: "dashboard", rules: [
        [.panels[] | .targets[]?.expr] + [.templating.list[] | select(.type == "query") | .definition
            | capture("^label_values\\((?<of>.*), [a-z]+\\)$").of]
        | to_entries[]
        | {record: "query:\(.key)", expr: (.value | gsub("\\$__rate_interval"; "1m") | gsub("\\$(instance|route)"; ".*"))}]}]}' \
    "$board" >"$folder/rules.json"
promtool check rules "$folder/rules.json" >"$folder/words" 2>&1 || wrong "promtool: $(cat "$folder/words")"

shown=$(jq -r '.groups[].rules[].expr' "$folder/rules.json" | grep -o 'postrider_[a-z_]*' | sort -u)
names=$(while read -r name type _; do
    if [[ $type == histogram ]]; then printf '%s_bucket\n%s_sum\n%s_count\n' "$name" "$name" "$name"; else echo "$name"; fi
done <"$golden" | sort)
unknown=$(comm -23 <(echo "$shown") <(echo "$names"))
[[ -z $unknown ]] || wrong "no such metric: $unknown"
while read -r name _; do
    grep -qE "^$name(_bucket|_sum|_count)?\$" <<<"$shown" || wrong "no panel shows $name"
done <"$golden"

# A label that a metric does not have would leave a panel empty.
foreign=$(jq -r --rawfile golden "$golden" '
    ($golden | split("\n") | map(split(" ") | select(length > 1)
        | {key: .[0], value: (.[2:] + ["instance"] + (if .[1] == "histogram" then ["le"] else [] end))})
        | from_entries) as $labels
    | .groups[].rules[].expr as $query
    | [$query | scan("postrider_[a-z_]+") | $labels[.] // $labels[sub("_(bucket|sum|count)$"; "")] | .[]] as $known
    | $query | [scan("by \\(([a-z_, ]+)\\)")[0] | splits(", *")] + [scan("[{,] *([a-z_]+) *(?:=|!)")[0]] | unique | .[]
    | select(IN($known[]) | not) | "\(.) in \($query)"' "$folder/rules.json")
[[ -z $foreign ]] || wrong "no such label: $foreign"

path=$(sed -n 's/^ *path: *//p' deploy/grafana/dashboards.yml)
grep -qF -- "- ./grafana:$path:ro" deploy/compose.yaml || wrong "Compose does not mount the dashboard at $path"
