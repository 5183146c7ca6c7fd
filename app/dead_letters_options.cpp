#include "dead_letters_options.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "core/duration.hpp"

namespace postrider::app {
namespace {

using service::letters_verb;

void add_age(CLI::App& command, const std::string& flag, std::optional<core::milliseconds>& place,
             const std::string& help) {
    command
        .add_option_function<std::string>(
            flag,
            [&place, flag](const std::string& text) {
                const auto age = core::parse_duration(text);
                if (!age) throw CLI::ValidationError(flag, text + ": " + age.error().message);
                place = *age;
            },
            help)
        ->type_name("DURATION");
}

void add_filters(CLI::App& command, event::letter_filter& filter) {
    command.add_option("--route", filter.route, "Only those of this route")->type_name("NAME");
    command
        .add_option("--reason", filter.reason, "Only those for this reason: not_json, no_key, WRONGTYPE …")
        ->type_name("WORD");
    command.add_option("--id", filter.ids, "Only this one; may be given several times")->type_name("ID");
    add_age(command, "--older-than", filter.older_than, "Only those that came last before so long, e.g. 2h");
    add_age(command, "--newer-than", filter.newer_than, "Only those that came last since so long, e.g. 7d");
}

CLI::App* add_verb(CLI::App& command, service::letters_request& request, const std::string& name,
                   const std::string& help, letters_verb v) {
    auto* added = command.add_subcommand(name, help);
    added->callback([&request, v] { request.verb = v; });
    add_filters(*added, request.filter);
    added->add_flag("--json", request.json, "Answer in JSON");
    if (v != letters_verb::list)
        added->add_flag("--dry-run", request.dry_run, "Only say how many it would be");
    return added;
}

}  // namespace

const CLI::App* add_dead_letters(CLI::App& parser, service::letters_request& request) {
    auto* command = parser.add_subcommand("dead-letters", "Look after what could not be delivered");
    command->require_subcommand(1);
    auto* list = add_verb(*command, request, "list", "Show them, oldest first", letters_verb::list);
    list->add_option("--limit", request.limit, "At most so many; 0 for all (100)")->type_name("N");
    add_verb(*command, request, "replay", "Send them again, oldest first", letters_verb::replay);
    auto* drop = add_verb(*command, request, "drop", "Delete them", letters_verb::drop);
    // A filter that was forgotten must not cost everything.
    auto all = std::make_shared<bool>(false);
    drop->add_flag("--all", *all, "Without any filter");
    drop->callback([&request, all] {
        request.verb = letters_verb::drop;
        if (request.filter.empty() && !*all && !request.dry_run)
            throw CLI::ValidationError("drop",
                                       "name which ones (--route, --reason, --id, --older-than, "
                                       "--newer-than), or --all");
    });
    return command;
}

}  // namespace postrider::app
