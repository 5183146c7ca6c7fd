#!/usr/bin/env bash
# The Dockerfile is read without complaint, and its last stage begins with nothing and runs as nobody.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

last_stage=$(tac deploy/Dockerfile | sed '/^FROM /q' | tac)
[[ $last_stage == 'FROM scratch'$'\n'* ]] || wrong 'the image does not begin with nothing'
[[ $(grep '^USER' <<<"$last_stage") == 'USER 65532:65532' ]] || wrong 'the image runs as another user'
[[ $(grep -c '^COPY' <<<"$last_stage") == 1 ]] || wrong 'more is copied than what gather.sh has made'
if grep -q '^\(RUN\|ADD\)' <<<"$last_stage"; then wrong 'more is made than what gather.sh has made'; fi

need_node_tools
said=$("$node_tools/node_modules/.bin/dockerfile-utils" lint deploy/Dockerfile 2>&1) || wrong "$said"
[[ -z $said ]] || wrong "$said"
