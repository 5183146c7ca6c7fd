#!/usr/bin/env bash
# Reads the list as a worker would, keeps what it got, and shows it.
#   watch.sh PORT FOLDER NAMES    (REDISCLI_AUTH is Redis' password)
# FOLDER/delivered.jsonl takes one line {"at":…,"pushed":…} for each element. Once FOLDER/stop is there, it ends
# with the list empty. NAMES is a JSON object of names by id.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
port=$1
folder=$2
names=$3
# shellcheck source-path=SCRIPTDIR source=terminal.sh
source "$here/terminal.sh"

take() {
    local pushed seconds
    while true; do
        # The first line of the answer is the list's name; nothing comes for a second: it is empty.
        pushed=$(redis-cli -p "$port" --raw BLPOP bot_messages 1)
        pushed=${pushed#bot_messages$'\n'}
        if [[ -n $pushed ]]; then
            seconds=$EPOCHREALTIME
            printf '{"at":"%(%H:%M:%S)T.%s","pushed":%s}\n' "${seconds%[.,]*}" "${seconds: -6:1}" "$pushed"
        elif [[ -e $folder/stop ]]; then
            return
        fi
    done
}

take | tee -a "$folder/delivered.jsonl" | jq --unbuffered -rR -f "$here/show.jq" --argjson names "$names" \
    --arg bold "$bold" --arg dim "$dim" --arg green "$green" --arg plain "$plain"
