# shellcheck shell=bash
# What was written, what came out of the list, and the difference between the two. Sourced; needs servers.sh.

ids_written() {
    sql -c 'select messages.id from messages join profiles on profiles.id = sender_id where not is_bot' | sort
}

# pushed WORK FILTER: the filter's answers for each element that came out of the list.
pushed() {
    jq -cR "fromjson? | .pushed | $2" "$1/delivered.jsonl"
}

ids_delivered() {
    pushed "$1" 'select(.type == "grouped") | .messages[].id' | sort
}

count_of() {
    "$@" | wc -l
}

# everything_arrived WORK: every message written so far has come out of the list.
everything_arrived() {
    ids_written >"$1/written.ids" && ids_delivered "$1" | uniq >"$1/delivered.ids" &&
        [[ -z $(comm -23 "$1/written.ids" "$1/delivered.ids") ]]
}

# openers_arrived WORK: so has an opener for each match made during the demo.
openers_arrived() {
    local expected
    expected=$(sql -c "select count(*) from matches where created_at > now() - interval '1 day'") || return 1
    (($(count_of pushed "$1" 'select(.type == "initiation")') >= expected))
}

# summarise WORK: prints the figures; fails when something is lost or doubled, or when they cannot be known.
summarise() {
    local work=$1 written lost delivered duplicates unknown
    if ! ids_written >"$work/written.ids"; then
        complain "the messages table cannot be read, so there is nothing to compare with."
        return 1
    fi
    ids_delivered "$work" >"$work/delivered.ids"
    duplicates=$(count_of uniq -D "$work/delivered.ids")
    duplicates=$((duplicates - $(count_of uniq -d "$work/delivered.ids")))
    uniq "$work/delivered.ids" >"$work/delivered-once.ids"
    written=$(count_of cat "$work/written.ids")
    delivered=$(count_of comm -12 "$work/written.ids" "$work/delivered-once.ids")
    lost=$(count_of comm -23 "$work/written.ids" "$work/delivered-once.ids")
    unknown=$(count_of comm -13 "$work/written.ids" "$work/delivered-once.ids")
    printf 'messages written %d, groups %d, messages delivered %d, lost %d, duplicates %d, initiations %d\n' \
        "$written" "$(count_of pushed "$work" 'select(.type == "grouped")')" "$delivered" "$lost" "$duplicates" \
        "$(count_of pushed "$work" 'select(.type == "initiation")')"
    if ((unknown)); then complain "$unknown ids came out of the list that nobody wrote."; fi
    if ((written == 0)); then complain "nothing was written, so nothing is shown by this."; fi
    ((lost == 0 && duplicates == 0 && unknown == 0 && written > 0))
}
