#!/usr/bin/env bash
# What becomes the image is enough: the program starts in that root file system alone, read-only, as the image's
# user, gets ready with a real Postgres and Redis, is asked by the Dockerfile's own HEALTHCHECK, and stops in time.
# Wants POSTRIDER_PROGRAM, POSTGRES_URL, REDIS_URL and PORT.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

command -v unshare >/dev/null && ((EUID == 0)) || left_out 'a root file system of its own needs root'
if [[ $(ldd "$POSTRIDER_PROGRAM") =~ lib[a-z]*san\.so ]]; then left_out 'a sanitizer does not work without /proc'; fi
folder=$(mktemp -d)
service=
trap 'if [[ -n $service ]]; then kill -9 "$service" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT

deploy/gather.sh "$POSTRIDER_PROGRAM" "$folder/image" || wrong 'the image has no file system'
echo "the image: $(du -sm "$folder/image" | cut -f1) MB"
# So there is no shell in it, and nothing else that nobody asked for.
needed=$(ldd "$POSTRIDER_PROGRAM" | grep -o '/[^ ]*')
surplus=$(cd "$folder/image" && find . ! -type d | sed 's/^\.//' | sort |
    comm -3 - <(sort -u <<<"$needed
/usr/bin/postrider
/etc/passwd
/etc/group
/etc/nsswitch.conf
/etc/ssl/certs/ca-certificates.crt
/usr/lib/ssl/cert.pem"))
[[ -z $surplus ]] || wrong "more or less is in it than what is needed: $surplus"
user=$(sed -n 's/^USER //p' deploy/Dockerfile)
# As a container's runtime does.
echo '127.0.0.1 localhost' >"$folder/image/etc/hosts"
chmod 755 "$folder"

# in_image ARGUMENT…: becomes the program in that root file system, which cannot be written.
in_image() {
    # shellcheck disable=SC2016  # the inner shell expands it
    exec env -i POSTGRES_URL="$POSTGRES_URL" REDIS_URL="$REDIS_URL" PORT="$PORT" unshare --mount bash -c '
        mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" || exit 125
        exec chroot --userspec="$1" "$0" "${@:2}"' "$folder/image" "$user" "$@"
}

(in_image /usr/bin/postrider --version) || wrong 'the program does not start in the image'
in_image /usr/bin/postrider run >"$folder/log" 2>&1 &
service=$!
for ((tries = 0; tries < 300; tries++)); do
    if curl -fs "http://127.0.0.1:$PORT/health/readiness" >/dev/null; then break; fi
    kill -0 "$service" 2>/dev/null || break
    sleep 0.1
done
curl -fs "http://127.0.0.1:$PORT/health/readiness" >/dev/null || wrong "it does not get ready: $(cat "$folder/log")"

# Read from the Dockerfile: ["/usr/bin/postrider", "health"]
mapfile -t question < <(sed -n 's/^HEALTHCHECK .*CMD //p' deploy/Dockerfile | jq -r '.[]')
(in_image "${question[@]}") || wrong 'the HEALTHCHECK says that it is not alive'
[[ $(stat -c %u "/proc/$service") == "${user%%:*}" ]] || wrong 'it does not run as the user of the image'

kill -TERM "$service"
timeout 8 tail --pid="$service" -f /dev/null || wrong 'it is still there 8 s after SIGTERM'
wait "$service" || wrong "it stopped with status $?: $(tail -n 5 "$folder/log")"
service=
if (in_image "${question[@]}"); then wrong 'the HEALTHCHECK calls a service alive that is gone'; fi
