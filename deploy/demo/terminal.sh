# shellcheck shell=bash disable=SC2034
# What the demo's scripts say, in colour only where somebody sees it. Sourced.

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' dim='' green='' red='' plain=''
fi

say() {
    printf '%s\n' "$*"
}

title() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

complain() {
    printf '%srun: %s%s\n' "$red" "$*" "$plain" >&2
}
