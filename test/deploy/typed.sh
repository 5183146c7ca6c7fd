# Sourced after tools.sh. check_objects FILE…: every object in these files has a published kind, values that its
# schema takes, and no field that it does not know.
check_objects() {
    local typed status=0
    need_node_tools
    typed=$(mktemp -d)
    NODE_TOOLS=$node_tools node --no-warnings test/deploy/typed.cjs "$typed" "$@" &&
        "$node_tools/node_modules/.bin/tsc" --noEmit --strict --skipLibCheck --target es2022 --module nodenext \
            --moduleResolution nodenext "$typed"/*.ts || status=1
    rm -rf "$typed"
    return "$status"
}
