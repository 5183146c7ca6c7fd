#!/usr/bin/env bash
# The whole of deploy/Dockerfile, built by Debian's buildah on a base that debootstrap makes, and started with a real
# Postgres and Redis as a container's runtime does. It downloads Debian's compilers, so it runs only where it is asked
# for: cmake --build --preset test --target image
#
#   POSTRIDER_IMAGE=prebuilt   takes POSTRIDER_PROGRAM (built on Debian 12) instead of compiling one in the image
#   POSTRIDER_IMAGE=whole      compiles it there, as everybody else who builds the image
# Wants POSTGRES_URL, REDIS_URL and PORT beside it.
set -euo pipefail
. "$(dirname "$0")/tools.sh"
. test/deploy/started.sh

case ${POSTRIDER_IMAGE:-} in
    prebuilt | whole) ;;
    '') left_out "it takes minutes; cmake --build --preset test --target image builds and starts it" ;;
    *) wrong "POSTRIDER_IMAGE is prebuilt or whole, not $POSTRIDER_IMAGE" ;;
esac
for tool in buildah debootstrap; do command -v "$tool" >/dev/null || left_out "$tool is not installed"; done
((EUID == 0)) || left_out 'debootstrap needs root'
if [[ $POSTRIDER_IMAGE == prebuilt && $(ldd "$POSTRIDER_PROGRAM") =~ lib[a-z]*san\.so ]]; then
    left_out 'a sanitizer does not work without /proc'
fi
folder=$(mktemp -d)
service=
build() { buildah --storage-driver vfs --root "$folder/store" --runroot "$folder/run" "$@"; }
tidy() {
    if [[ -n $service ]]; then kill -9 "$service" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap tidy EXIT

# step WORDS COMMAND…: says how long it took, and what was said only where it failed.
step() {
    local began=$SECONDS
    "${@:2}" >"$folder/said" 2>&1 </dev/null || wrong "$1: $(tail -n 15 "$folder/said")"
    echo "$1: $((SECONDS - began)) s"
}

# The mirror of this machine, where it has one of its own.
# shellcheck disable=SC2016  # apt-get expands it
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m 1 '/debian/\?$' || true)
step 'the base' debootstrap --variant=minbase bookworm "$folder/base" ${mirror:+"$mirror"}
step 'the base as an image' build from --name base scratch
build copy -q base "$folder/base" / >/dev/null
build commit -q base localhost/base >/dev/null
build rm base >/dev/null
rm -rf "$folder/base"

mkdir "$folder/context"
cp -r CMakeLists.txt CMakePresets.json app lib deploy "$folder/context"
if [[ $POSTRIDER_IMAGE == prebuilt ]]; then
    install -D "$POSTRIDER_PROGRAM" "$folder/context/prebuilt/postrider"
    sed -i 's#^RUN cmake --preset release && .*#COPY prebuilt build/release#' "$folder/context/deploy/Dockerfile"
fi
step "the image, $POSTRIDER_IMAGE" build bud --isolation chroot --format docker --build-arg BASE=localhost/base \
    -t postrider -f "$folder/context/deploy/Dockerfile" "$folder/context"

# From here on the image alone says how it is to be run.
build inspect --type image localhost/postrider >"$folder/settings"
of_image() { jq -er ".Docker.config | $1" "$folder/settings" || wrong "the image does not say: $1"; }
user=$(of_image .User)
[[ $user == 65532:65532 ]] || wrong "the image's user is $user"
mapfile -t variables < <(of_image '.Env[]')
mapfile -t command < <(of_image '(.Entrypoint + .Cmd)[]')
[[ $(of_image '.Healthcheck.Test[0]') == CMD ]] || wrong "the HEALTHCHECK is $(of_image .Healthcheck.Test)"
mapfile -t question < <(of_image '.Healthcheck.Test[1:][]')
build from --name made localhost/postrider >/dev/null
said=$(build run --isolation chroot made -- /usr/bin/postrider --version) || wrong 'buildah cannot run it'
[[ $said == 'postrider '* ]] || wrong "it says: $said"
root=$(build mount made)
chmod 755 "$folder"
must_start
echo "$said starts in the image, $(build images --format '{{.Size}}' localhost/postrider)"
