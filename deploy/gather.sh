#!/usr/bin/env bash
# Puts a program and everything it needs at run time into an empty folder, which then is a whole root file system:
# the program, the shared libraries it names, the system's certificate authorities, and an account to run as.
# deploy/Dockerfile makes the image of it; test/deploy/container.sh runs the program in it.
#
#   deploy/gather.sh PROGRAM FOLDER
set -euo pipefail

program=$1 folder=$2
user=65532

fail() {
    printf 'gather: %s\n' "$*" >&2
    exit 1
}

if [[ ! -x $program ]]; then fail "$program is not a program"; fi
if missing=$(ldd "$program" | grep 'not found'); then fail "$program lacks $missing"; fi

install -D -m 755 "$program" "$folder/usr/bin/postrider"
strip "$folder/usr/bin/postrider"
# "libpq.so.5 => /lib/x86_64-linux-gnu/libpq.so.5 (0x…)", and the loader's own line without an arrow.
ldd "$program" | grep -o '/[^ ]*' | sort -u | xargs cp --dereference --parents --target-directory="$folder"

# What REDIS_URL=rediss:// and sslrootcert=system trust where nothing else is named.
mkdir -p "$folder/etc/ssl/certs"
cp --dereference /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
# OpenSSL's own default: the file above under the name it looks for.
mkdir -p "$folder/usr/lib/ssl"
ln -s /etc/ssl/certs/ca-certificates.crt "$folder/usr/lib/ssl/cert.pem"

printf 'postrider:x:%d:%d::/:/usr/sbin/nologin\n' "$user" "$user" >"$folder/etc/passwd"
printf 'postrider:x:%d:\n' "$user" >"$folder/etc/group"
# Names that the runtime writes into /etc/hosts come before the name server.
printf 'hosts: files dns\n' >"$folder/etc/nsswitch.conf"
