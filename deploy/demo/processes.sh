# shellcheck shell=bash
# Starting and stopping the demo's processes, so that none outlives it. Sourced.

# What was launched and not yet stopped, by process id, which is its group as well; and the newest of them.
declare -A launched=()
pid=

# launch_shown SIGNAL COMMAND…: like launch, with this shell's own output.
launch_shown() {
    local signal=$1
    shift
    setsid setpriv --pdeathsig "$signal" "$@" </dev/null 9>&- &
    pid=$!
    launched[$pid]=running
}

# launch SIGNAL INPUT LOG COMMAND…
# Runs the command in a session of its own, so that Ctrl-C reaches this shell alone; should this shell be
# killed outright, the kernel sends the command SIGNAL.
launch() {
    local signal=$1 input=$2 log=$3
    shift 3
    setsid setpriv --pdeathsig "$signal" "$@" <"$input" >>"$log" 2>&1 9>&- &
    pid=$!
    launched[$pid]=running
}

is_running() {
    kill -0 "$1" 2>/dev/null
}

has_ended() {
    ! is_running "$1"
}

# wait_until SECONDS COMMAND…: asks again and again until the command succeeds; fails when the time is over.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if ((SECONDS >= end)); then return 1; fi
        sleep 0.1 || true
    done
}

# stop SIGNAL SECONDS PID: asks the process to end, kills it when it does not, and returns its exit status.
stop() {
    kill -"$1" "$3" 2>/dev/null || true
    wait_until "$2" has_ended "$3" || true
    kill -KILL -- "-$3" 2>/dev/null || true
    unset "launched[$3]"
    wait "$3" 2>/dev/null
}

# The last way out: whatever was launched and still runs is killed.
kill_launched() {
    local group
    for group in "${!launched[@]}"; do
        # The process by itself too: it may not have come to its own group yet.
        kill -KILL -- "-$group" "$group" 2>/dev/null || true
    done
    wait || true
}
