#pragma once

#include "configuration_fixture.hpp"

namespace postrider::service {

// Loads with a file of this text; its path reads "p.toml" in every message.
inline core::result<configuration> load(std::string_view text, const environment& variables = servers()) {
    const scratch_folder folder;
    flags f;
    f.config_file = folder.write("p.toml", text);
    auto c = load_configuration(f, variables);
    const auto shorten = [&](std::string& words) {
        for (auto at = words.find(f.config_file); at != std::string::npos; at = words.find(f.config_file)) {
            words.replace(at, f.config_file.size(), "p.toml");
        }
    };
    if (!c) {
        auto failure = c.error();
        shorten(failure.message);
        return failure;
    }
    for (auto& words : c->warnings) {
        shorten(words);
    }
    return c;
}

inline configuration from(std::string_view text, const environment& variables = servers()) {
    auto c = load(text, variables);
    REQUIRE_MESSAGE(c.has_value(), c.error().message);
    return std::move(*c);
}

inline std::string error_of(std::string_view text, const environment& variables = servers()) {
    const auto c = load(text, variables);
    REQUIRE(c.has_error());
    return c.error().message;
}

// A route of this policy, complete but for these lines; they stand from line 7 on (group and delay).
inline std::string group_with(std::string_view lines) {
    return "[[route]]\nname = 'r'\nchannel = 'c'\npolicy = 'group'\nkey = '/k'\nto = 'l'\n" +
           std::string(lines) + "\n";
}
inline std::string delay_with(std::string_view lines) {
    return "[[route]]\nname = 'r'\nchannel = 'c'\npolicy = 'delay'\nkey = '/k'\nto = 'l'\n" +
           std::string(lines) + "\n";
}

}  // namespace postrider::service
