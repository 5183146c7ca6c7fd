#!/usr/bin/env bash
# The Dockerfile is read without complaint.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

need_node_tools
said=$("$node_tools/node_modules/.bin/dockerfile-utils" lint deploy/Dockerfile 2>&1) || wrong "$said"
[[ -z $said ]] || wrong "$said"
