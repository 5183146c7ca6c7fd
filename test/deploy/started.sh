# Sourced by the checks of the image: its file system, started as a container's runtime does. They set
#   root       the image's root file system    user   USER:GROUP
#   command    the entry point and its words   question   the HEALTHCHECK's
#   variables  of the image, each NAME=VALUE
# and want POSTGRES_URL, REDIS_URL and PORT, and a folder in $folder.
# shellcheck shell=bash disable=SC2154

# in_image ARGUMENT…: becomes the program in that root file system, which cannot be written.
in_image() {
    # shellcheck disable=SC2016  # the inner shell expands it
    exec env -i "${variables[@]}" POSTGRES_URL="$POSTGRES_URL" REDIS_URL="$REDIS_URL" PORT="$PORT" \
        unshare --mount bash -c '
        mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" || exit 125
        exec chroot --userspec="$1" "$0" "${@:2}"' "$root" "$user" "$@"
}

# It gets ready with a real Postgres and Redis, is asked by the HEALTHCHECK, and stops in time.
must_start() {
    # As a container's runtime does.
    echo '127.0.0.1 localhost' >"$root/etc/hosts"
    (in_image /usr/bin/postrider --version) || wrong 'the program does not start in the image'
    in_image "${command[@]}" >"$folder/log" 2>&1 &
    service=$!
    for ((tries = 0; tries < 300; tries++)); do
        if curl -fs "http://127.0.0.1:$PORT/health/readiness" >/dev/null; then break; fi
        kill -0 "$service" 2>/dev/null || break
        sleep 0.1
    done
    curl -fs "http://127.0.0.1:$PORT/health/readiness" >/dev/null || wrong "it does not get ready: $(cat "$folder/log")"

    (in_image "${question[@]}") || wrong 'the HEALTHCHECK says that it is not alive'
    [[ $(stat -c %u "/proc/$service") == "${user%%:*}" ]] || wrong 'it does not run as the user of the image'
    if [[ $(sed -n 's/^CapEff:\t//p' "/proc/$service/status") != 0000000000000000 ]]; then wrong 'it may more than its user'; fi
    if (in_image /bin/sh -c true) 2>/dev/null; then wrong 'there is a shell in it'; fi

    kill -TERM "$service"
    timeout 8 tail --pid="$service" -f /dev/null || wrong 'it is still there 8 s after SIGTERM'
    wait "$service" || wrong "it stopped with status $?: $(tail -n 5 "$folder/log")"
    service=
    if (in_image "${question[@]}"); then wrong 'the HEALTHCHECK calls a service alive that is gone'; fi
}
