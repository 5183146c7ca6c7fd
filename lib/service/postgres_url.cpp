#include "service/postgres_url.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>

#include "service/values.hpp"

namespace postrider::service {

namespace {

using options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

constexpr std::string_view example = "; write for example postgresql://user:password@host:5432/database";

// Takes the words out of quotes: there stand the pieces of the string that libpq stumbled over.
std::string without_quotations(std::string_view words) {
    std::string out;
    while (!words.empty()) {
        const auto open = words.find('"');
        out.append(words.substr(0, open));
        if (open == std::string_view::npos) break;
        const auto close = words.find('"', open + 1);
        const auto quoted =
            words.substr(open + 1, close == std::string_view::npos ? close : close - open - 1);
        // A single mark, as in: missing "=".
        if (quoted.size() == 1 && std::string_view("=]:/").find(quoted) != std::string_view::npos) {
            out.append(1, '"').append(quoted).append(1, '"');
        } else {
            out.append("…");
        }
        if (close == std::string_view::npos) break;
        words.remove_prefix(close + 1);
    }
    while (!out.empty() && (out.back() == '\n' || out.back() == ' '))
        out.pop_back();
    return out;
}

std::string nearest_keyword(std::string_view name) {
    // asyncpg's and JDBC's name for it.
    if (name == "ssl") return "; did you mean 'sslmode'?";
    const options defaults(PQconndefaults(), &PQconninfoFree);
    std::vector<std::string_view> known;
    for (const auto* o = defaults.get(); o != nullptr && o->keyword != nullptr; ++o) {
        known.emplace_back(o->keyword);
    }
    return suggestion(name, known);
}

// libpq's words; a misspelt parameter is named only by the one that was meant, as it may be half a password.
core::failure refused_by_libpq(std::string_view words) {
    std::string hint;
    if (words.starts_with("invalid URI query parameter") || words.starts_with("invalid connection option")) {
        const auto open = words.find('"');
        if (open != std::string_view::npos) {
            hint = nearest_keyword(words.substr(open + 1, words.rfind('"') - open - 1));
        }
    }
    if (words.find("percent-encoded") != std::string_view::npos) hint = "; write a plain '%' as %25";
    const auto shown = without_quotations(words);
    return core::invalid_input(
        fmt::format("not a Postgres connection string: {}{}{}", shown, hint, hint.empty() ? example : ""));
}

// Driver names as in postgresql+asyncpg:// or postgres+psycopg2://; empty: the URL has none.
std::string_view driver_of(std::string_view text) {
    const auto end = text.find("://");
    const auto plus = text.substr(0, end).find('+');
    if (end == std::string_view::npos || plus == std::string_view::npos) return {};
    const auto base = text.substr(0, plus);
    return base == "postgresql" || base == "postgres" ? text.substr(plus, end - plus) : std::string_view();
}

bool has_foreign_scheme(std::string_view text) {
    const auto end = text.find("://");
    if (end == std::string_view::npos || text.substr(0, end).find_first_of("= '") != std::string_view::npos) {
        return false;
    }
    return text.substr(0, end) != "postgresql" && text.substr(0, end) != "postgres";
}

std::string check_port_list(std::string_view list) {
    while (true) {
        const auto port = list.substr(0, list.find(','));
        const auto read = read_count(port, 1, 65'535);
        if (!port.empty() && !read) return "the port is not a number from 1 to 65535";
        if (port.size() == list.size()) return {};
        list.remove_prefix(port.size() + 1);
    }
}

std::string check_word(std::string_view keyword, std::string_view value,
                       std::span<const std::string_view> words) {
    const auto read = read_word(value, words);
    return read ? std::string() : fmt::format("{}={}: {}", keyword, in_quotes(value), read.error().message);
}

// What libpq would find out at every attempt to connect, and never get past.
std::string check_option(std::string_view keyword, std::string_view value) {
    constexpr std::array<std::string_view, 6> modes{"disable", "allow",     "prefer",
                                                    "require", "verify-ca", "verify-full"};
    constexpr std::array<std::string_view, 6> sessions{"any",     "read-write", "read-only",
                                                       "primary", "standby",    "prefer-standby"};
    if (keyword == "port") return check_port_list(value);
    if (keyword == "sslmode") return check_word(keyword, value, modes);
    if (keyword == "target_session_attrs") return check_word(keyword, value, sessions);
    return {};
}

// An '@' that begins a host is an abstract socket's; one further on ended a password too early.
bool holds_half_a_password(std::string_view hosts) {
    for (std::size_t at = hosts.find('@', 1); at != std::string_view::npos; at = hosts.find('@', at + 1)) {
        if (hosts[at - 1] != ',') return true;
    }
    return false;
}

std::size_t entries(std::string_view list) {
    return 1 + static_cast<std::size_t>(std::count(list.begin(), list.end(), ','));
}

std::string check_options(const options& parsed) {
    std::string_view hosts, ports;
    for (const auto* o = parsed.get(); o->keyword != nullptr; ++o) {
        const std::string_view keyword = o->keyword, value = o->val != nullptr ? o->val : "";
        if (value.empty()) continue;
        if (keyword == "host" || (keyword == "hostaddr" && hosts.empty())) hosts = value;
        if (keyword == "port") ports = value;
        if (auto words = check_option(keyword, value); !words.empty()) return words;
    }
    if (holds_half_a_password(hosts)) {
        return "there is an '@' in the host; write an '@' in the password as %40";
    }
    if (entries(ports) > 1 && entries(ports) != entries(hosts)) {
        return fmt::format("{} ports for {} hosts; give one port for all, or one a host", entries(ports),
                           entries(hosts));
    }
    return {};
}

}  // namespace

core::result<postgres_url> read_postgres_url(std::string_view text) {
    postgres_url out{std::string(text), {}};
    if (const auto driver = driver_of(text); !driver.empty()) {
        out.warnings.push_back(fmt::format("took '{}' out of the URL: it names a Python driver", driver));
        out.text.erase(text.find('+'), driver.size());
    }
    if (has_foreign_scheme(out.text)) {
        return core::invalid_input(
            fmt::format("starts with neither postgresql:// nor postgres://{}", example));
    }
    char* words = nullptr;
    const options parsed(PQconninfoParse(out.text.c_str(), &words), &PQconninfoFree);
    if (!parsed) {
        const std::string why = words != nullptr ? words : "out of memory";
        PQfreemem(words);
        return refused_by_libpq(why);
    }
    if (auto problem = check_options(parsed); !problem.empty())
        return core::invalid_input(std::move(problem));
    return out;
}

}  // namespace postrider::service
