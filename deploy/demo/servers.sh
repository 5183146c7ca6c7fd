# shellcheck shell=bash disable=SC2154
# A Postgres and a Redis of the demo's own: on free loopback ports, behind made-up passwords, with their data in
# a folder that goes with them. Sourced; needs processes.sh and terminal.sh.

account=()   # setpriv's words for the account that runs the servers; empty: whoever runs the demo
data_folder=
postgres_pid=
redis_pid=
redis_port=

# Postgres refuses to run as root, and Redis need not.
choose_account() {
    local name=nobody
    if ((EUID != 0)); then return; fi
    if getent passwd postgres >/dev/null; then name=postgres; fi
    account=(--reuid "$name" --regid "$(id -g "$name")" --init-groups)
}

# make_data_folder WORK: beside the logs, or under /tmp where the servers' account cannot get there.
make_data_folder() {
    data_folder=$1/data
    rm -rf "$data_folder"
    mkdir -m 700 "$data_folder"
    give_to_account "$data_folder"
    if ! as_account test -x "$data_folder"; then
        rmdir "$data_folder"
        data_folder=$(mktemp -d --tmpdir=/tmp)
        give_to_account "$data_folder"
    fi
}

give_to_account() {
    if ((${#account[@]})); then chown "${account[1]}:${account[3]}" "$1"; fi
}

as_account() {
    setpriv "${account[@]}" "$@"
}

find_postgres() {
    local newest
    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
    if [[ -x $newest ]]; then PATH=${newest%/postgres}:$PATH; fi
    command -v initdb >/dev/null && command -v redis-server >/dev/null && command -v jq >/dev/null
}

free_port() {
    # Just below those of outgoing connections, where services are rare.
    local port
    while true; do
        port=$((32000 + RANDOM % 768))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

made_up_password() {
    od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}

sql() {
    setsid psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

postgres_answers() {
    has_ended "$postgres_pid" || sql -d postgres -c 'select 1' >/dev/null 2>&1
}

# start_postgres LOG SCHEMA: leaves the PG… variables set for psql, and a database `chat` with the schema applied.
start_postgres() {
    local log=$1 name attempt
    for name in "${!PG@}"; do unset "$name"; done
    export PGHOST=127.0.0.1 PGUSER=postrider PGDATABASE=chat PGCONNECT_TIMEOUT=5 PGCLIENTENCODING=UTF8 PGPORT PGPASSWORD
    PGPASSWORD=$(made_up_password)
    (umask 077 && printf %s "$PGPASSWORD" >"$data_folder/password")
    give_to_account "$data_folder/password"
    as_account initdb --no-sync -E UTF8 --locale=C -A scram-sha-256 -U "$PGUSER" \
        --pwfile="$data_folder/password" -D "$data_folder/postgres" >"$log" 2>&1 || return 1
    # Between the look at a port and its use somebody else may take it.
    for attempt in 1 2 3; do
        PGPORT=$(free_port)
        launch INT /dev/null "$log" "${account[@]}" postgres -D "$data_folder/postgres" -p "$PGPORT" \
            -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c shared_buffers=16MB
        postgres_pid=$pid
        wait_until 30 postgres_answers || true
        if is_running "$postgres_pid"; then break; fi
        if ((attempt == 3)); then return 1; fi
    done
    sql -d postgres -c 'create database chat' >>"$log" && sql -f "$2" >>"$log"
}

redis_answers() {
    has_ended "$redis_pid" || [[ $(redis-cli -p "$redis_port" ping 2>/dev/null) == PONG ]]
}

redis_settings() {
    printf '%s\n' 'bind 127.0.0.1' "port $redis_port" "requirepass $REDISCLI_AUTH" "dir \"$data_folder\"" \
        'save ""' 'appendonly no' 'daemonize no'
}

# start_redis LOG: leaves $redis_port, and the password where redis-cli looks for it.
start_redis() {
    local log=$1 attempt
    export REDISCLI_AUTH
    REDISCLI_AUTH=$(made_up_password)
    for attempt in 1 2 3; do
        redis_port=$(free_port)
        # Through its standard input, so that the password is on no command line.
        launch TERM <(redis_settings) "$log" "${account[@]}" redis-server -
        redis_pid=$pid
        wait_until 30 redis_answers || true
        if is_running "$redis_pid"; then return; fi
        if ((attempt == 3)); then return 1; fi
    done
}

stop_servers() {
    if [[ -n $redis_pid ]]; then stop TERM 5 "$redis_pid" || true; fi
    if [[ -n $postgres_pid ]]; then stop INT 10 "$postgres_pid" || true; fi
}

remove_data_folder() {
    if [[ -n $data_folder ]]; then rm -rf "$data_folder"; fi
}
