#!/usr/bin/env bash
# The whole of deploy/Dockerfile, built by Debian's buildah on a base that debootstrap makes, and started. It takes
# a download of Debian's compilers and a full build, so test/run.sh leaves it alone: run it by hand, as root.
#
#   test/deploy/image.sh [PROGRAM]   takes this program (built on Debian 12) instead of compiling one in the image
set -euo pipefail
. "$(dirname "$0")/tools.sh"

for tool in buildah debootstrap; do command -v "$tool" >/dev/null || left_out "$tool is not installed"; done
((EUID == 0)) || left_out 'debootstrap needs root'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
build() { buildah --storage-driver vfs --root "$folder/store" --runroot "$folder/run" "$@"; }

debootstrap --variant=minbase bookworm "$folder/base" >"$folder/log" || wrong "$(tail -n 3 "$folder/log")"
build from --name base scratch
build copy -q base "$folder/base" /
build commit -q base localhost/base

mkdir "$folder/context"
cp -r CMakeLists.txt CMakePresets.json app lib deploy "$folder/context"
if (($#)); then
    install -D "$1" "$folder/context/prebuilt/postrider"
    sed -i 's#^RUN cmake --preset release && .*#COPY prebuilt build/release#' "$folder/context/deploy/Dockerfile"
fi
build bud --isolation chroot --format docker --build-arg BASE=localhost/base -t postrider \
    -f "$folder/context/deploy/Dockerfile" "$folder/context"

build from --name made localhost/postrider
settings=$(build inspect --type image --format '{{.Docker.Config.User}} {{.Docker.Config.Healthcheck.Test}}' \
    localhost/postrider)
[[ $settings == '65532:65532 [CMD /usr/bin/postrider health]' ]] || wrong "the image says: $settings"
said=$(build run --isolation chroot made -- /usr/bin/postrider --version) || wrong 'it does not start'
[[ $said == 'postrider '* ]] || wrong "it says: $said"
echo "$said starts in the image, $(build images --format '{{.Size}}' localhost/postrider)"
