#!/usr/bin/env bash
# Writes the demo's conversation into Postgres, round after round, until it is ended.
#   play.sh CONVERSATION     (psql's PG… variables say where)
set -euo pipefail

newcomers=(Nina Omar Sofia Kenji Aylin Mateus)

# The people of conversation.txt stand in a match each; the newest one counts.
match_statement() {
    printf "insert into matches (user1_id, user2_id) select person.id, bot.id from profiles person, profiles bot
            where person.name = '%s' and bot.name = '%s';\n" "$1" "$2"
}

message_statement() {
    printf "insert into messages (match_id, sender_id, content) select matches.id, sender.id, \$line\$%s\$line\$
            from matches join profiles person on person.id in (user1_id, user2_id), profiles sender
            where person.name = '%s' and sender.name = '%s' order by matches.created_at desc limit 1;\n" \
        "$3" "$2" "$1"
}

# Nobody types like a metronome: about that many seconds, written with one decimal.
pause() {
    local milliseconds=$((10#${1/./} * (70 + RANDOM % 61)))
    sleep "$(printf '%d.%03d' $((milliseconds / 1000)) $((milliseconds % 1000)))"
}

play_round() {
    local newcomer=$1 seconds who text
    while IFS='|' read -r seconds who text; do
        if [[ -z $seconds || $seconds == \#* ]]; then continue; fi
        pause "$seconds"
        who=${who/\*/$newcomer}
        if [[ $text == +* ]]; then
            match_statement "$who" "${text#+}"
        else
            message_statement "${who%>*}" "${who#*>}" "$text"
        fi
    done <"$2"
}

play() {
    local round
    for ((round = 0; ; round++)); do
        play_round "${newcomers[round % ${#newcomers[@]}]}" "$1"
        pause 1.5
    done
}

play "$1" | psql -X -q -v ON_ERROR_STOP=1
