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

# as_json FILE…: every document in these files, one a line.
as_json() {
    need_node_tools
    node -e '
        const yaml = require(process.argv[1] + "/node_modules/js-yaml");
        for (const file of process.argv.slice(2))
            for (const object of yaml.loadAll(require("node:fs").readFileSync(file, "utf8")))
                console.log(JSON.stringify(object));' "$node_tools" "$@"
}

# holds FILE WORDS EXPRESSION: ends with the words where jq's expression is not true of FILE, of which as_json made
# one array.
holds() {
    jq -e "$3" "$1" >/dev/null || wrong "$2"
}
