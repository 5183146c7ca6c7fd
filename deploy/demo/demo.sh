#!/usr/bin/env bash
# A conversation through a private Postgres, build/release/postrider and a private Redis; deploy/run.sh calls it.
#   demo.sh SECONDS     how long it lasts; 0: until Ctrl-C
# Everything it starts ends with it. Exit status 0: nothing lost, nothing doubled.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${here%/deploy/demo}
program=${POSTRIDER_PROGRAM:-$home/build/release/postrider}
work=$home/build/demo
seconds=$1
# A group that was opened last needs its window and its cooldown, an opener its delay.
tail_seconds=5
asked_to_stop=0
service_pid=
watcher_pid=
port=

# shellcheck source-path=SCRIPTDIR source=terminal.sh
source "$here/terminal.sh"
# shellcheck source-path=SCRIPTDIR source=processes.sh
source "$here/processes.sh"
# shellcheck source-path=SCRIPTDIR source=servers.sh
source "$here/servers.sh"
# shellcheck source-path=SCRIPTDIR source=ledger.sh
source "$here/ledger.sh"

leave() {
    # Bash would report each process that it kills.
    exec 2>/dev/null
    trap '' INT TERM HUP PIPE
    kill_launched
    remove_data_folder
}

# give_up WHAT LOG: what was being started did not come up.
give_up() {
    if ((asked_to_stop)); then exit 130; fi
    complain "$1 The end of ${2#"$home/"}:"
    tail -n 15 "$2" >&2 || true
    exit 1
}

prepare_folder() {
    mkdir -p "$work"
    exec 9>"$work/lock"
    if ! flock -n 9; then
        complain "another demo of this checkout is running; end it first."
        exit 1
    fi
    rm -rf "$work"/{stop,*.ids,*.log,delivered.jsonl}
    touch "$work/delivered.jsonl"
    # The servers' account may have no way into the folder this was called from.
    cd /
}

start_servers() {
    if ! find_postgres; then
        complain "a Postgres server, a Redis server and jq are needed; deploy/install.sh --demo installs them."
        exit 1
    fi
    choose_account
    make_data_folder "$work"
    start_postgres "$work/postgres.log" "$here/schema.sql" || give_up "Postgres did not start." "$work/postgres.log"
    start_redis "$work/redis.log" || give_up "Redis did not start." "$work/redis.log"
}

# readiness PORT: the status of the service's answer. For a subshell: a refused connection ends it.
readiness() {
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET /health/readiness HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
    local status
    read -r -t 2 -u 3 _ status _ && echo "$status"
}

service_ready() {
    has_ended "$service_pid" || [[ $( (readiness "$port") 2>/dev/null) == 200 ]]
}

start_service() {
    local settings bots
    bots=$(sql -c "select string_agg(id::text, ',') from profiles where is_bot")
    postgres_url=postgres://$PGUSER:$PGPASSWORD@127.0.0.1:$PGPORT/$PGDATABASE
    redis_url=redis://:$REDISCLI_AUTH@127.0.0.1:$redis_port/0
    port=$(free_port)
    settings=(POSTGRES_URL="$postgres_url" REDIS_URL="$redis_url" PORT="$port" POSTRIDER_SOURCE=notify
        GROUPING_DELAY=2s PUSH_COOLDOWN=1s MIN_DELAY_MINUTES=1s MAX_DELAY_MINUTES=3s INITIATION_PROBABILITY=1
        BOT_IDS="$bots")
    (
        # Only what stands above may decide how the demo goes.
        unset "${!PG@}" DATABASE_URL POSTGRES_CONNECTION_STRING TEST_MODE CONTEXT_TTL POSTRIDER_CONFIG REDISCLI_AUTH
        export "${settings[@]}"
        exec setsid setpriv --pdeathsig TERM "$program" run
    ) </dev/null >>"$work/postrider.log" 2>&1 9>&- &
    service_pid=$!
    launched[$service_pid]=running
    if ! wait_until 30 service_ready; then give_up "postrider is not ready after 30 s." "$work/postrider.log"; fi
    if has_ended "$service_pid"; then give_up "postrider ended at once." "$work/postrider.log"; fi
}

introduce() {
    local http=http://127.0.0.1:$port
    title "Postrider carries a chat from Postgres to the Redis list bot_messages"
    say "The times are short for the demo: window 2 s (15 s by default), cooldown 1 s (5 s), a new match's opener" \
        "after 1 to 3 s."
    say "  service   $http/health  $http/health/readiness  $http/stats  $http/redis/stats"
    say "  Postgres  psql $postgres_url"
    say "  Redis     redis-cli -u $redis_url"
    say "  logs      ${work#"$home/"}/postrider.log, postgres.log and redis.log beside it"
    if ((seconds)); then say "  It ends after $seconds s."; else say "  Ctrl-C ends it."; fi
    title "Groups as they reach the list"
}

start_watcher() {
    local names
    names=$(sql -c 'select json_object_agg(id, name) from profiles')
    launch_shown TERM "$here/watch.sh" "$redis_port" "$work" "$names"
    watcher_pid=$pid
}

keep_going() {
    ((asked_to_stop == 0)) && is_running "$service_pid" && is_running "$player_pid" && is_running "$watcher_pid" &&
        ((seconds == 0 || SECONDS < play_until))
}

# Another Ctrl-C while the last groups are under way is an answer too.
arrived_or_impatient() {
    ((asked_to_stop > 1)) || has_ended "$service_pid" || { everything_arrived "$work" && openers_arrived "$work"; }
}

play() {
    local play_until=$((SECONDS + (seconds > 2 * tail_seconds ? seconds - tail_seconds : (seconds + 1) / 2)))
    launch TERM /dev/null "$work/play.log" "$here/play.sh" "$here/conversation.txt"
    player_pid=$pid
    while keep_going; do sleep 0.2 || true; done
    if has_ended "$player_pid"; then complain "the conversation broke off: $(tail -n 3 "$work/play.log")"; fi
    if has_ended "$watcher_pid"; then complain "the reader of the list broke off."; fi
    stop TERM 5 "$player_pid" || true
}

finish() {
    local status=0
    if is_running "$service_pid"; then
        say "${dim}The conversation is over; the last groups are still to come (Ctrl-C: do not wait).$plain"
        wait_until 30 arrived_or_impatient || true
    fi
    trap '' INT TERM HUP
    if has_ended "$service_pid"; then
        complain "postrider ended by itself. The end of ${work#"$home/"}/postrider.log:"
        tail -n 15 "$work/postrider.log" >&2
        status=1
    fi
    stop TERM 10 "$service_pid" || { complain "postrider's exit status is $?." && status=1; }
    # The watcher ends by itself with the list empty; SIGCONT asks nothing of it.
    touch "$work/stop"
    stop CONT 20 "$watcher_pid" || status=1
    title "Summary"
    if ((asked_to_stop > 1)); then say "You did not wait: what was still in open groups counts as lost here."; fi
    summarise "$work" || status=1
    stop_servers
    return "$status"
}

trap 'asked_to_stop=$((asked_to_stop + 1))' INT TERM HUP
# Without it, a reader such as `head` that closes the pipe would end this shell before it has tidied up.
trap 'exit 141' PIPE
trap leave EXIT
prepare_folder
say "${dim}Starting a private Postgres and a private Redis …$plain"
start_servers
start_service
if ((asked_to_stop)); then exit 130; fi
introduce
start_watcher
play
finish
