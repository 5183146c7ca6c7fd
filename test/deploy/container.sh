#!/usr/bin/env bash
# What becomes the image is enough: the program starts in that root file system alone, read-only, as the image's
# user, gets ready with a real Postgres and Redis, is asked by the Dockerfile's own HEALTHCHECK, and stops in time.
# Wants POSTRIDER_PROGRAM, POSTGRES_URL, REDIS_URL and PORT.
set -euo pipefail
. "$(dirname "$0")/tools.sh"
. test/deploy/started.sh

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
chmod 755 "$folder"

# All of it read from the Dockerfile: ["/usr/bin/postrider", "health"]
words_of() { sed -n "s/^$1\( .*CMD\)\? \[/[/p" deploy/Dockerfile | jq -r '.[]'; }
root=$folder/image
user=$(sed -n 's/^USER //p' deploy/Dockerfile)
mapfile -t command < <(words_of ENTRYPOINT && words_of CMD)
mapfile -t question < <(words_of HEALTHCHECK)
read -ra variables < <(sed -n 's/^ENV //p' deploy/Dockerfile)
must_start
