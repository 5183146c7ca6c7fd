#include "service/toml_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace postrider::service {

namespace {

constexpr std::size_t largest_file = 1 << 20;

// Collects what is wrong with the file's shape while it is turned into text.
struct reading {
    toml_file file;
    std::vector<std::string> problems;

    void complain(unsigned line, std::string_view words) {
        problems.push_back(fmt::format("{}: {}", file.place(line), words));
    }
};

unsigned line_of(const toml::source_region& where) {
    return static_cast<unsigned>(where.begin.line);
}

std::string text_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
    if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    std::ostringstream date;
    node.visit([&](const auto& n) { date << n; });
    return date.str();
}

bool is_plain(const toml::node& node) {
    return !node.is_table() && !node.is_array();
}

template <class Container>
void by_line(Container& parts) {
    std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

// toml++ sorts keys by name; what is pushed follows the file.
std::vector<std::pair<std::string, const toml::node*>> in_file_order(const toml::table& table) {
    using position = std::pair<unsigned, unsigned>;
    std::vector<std::pair<position, std::pair<std::string, const toml::node*>>> parts;
    for (const auto& [key, node] : table) {
        const auto& at = key.source().begin;
        parts.push_back({{static_cast<unsigned>(at.line), static_cast<unsigned>(at.column)},
                         {std::string(key.str()), &node}});
    }
    by_line(parts);
    std::vector<std::pair<std::string, const toml::node*>> out;
    out.reserve(parts.size());
    for (auto& part : parts) {
        out.push_back(std::move(part.second));
    }
    return out;
}

void read_items(reading& r, const toml::node& node, file_value& value) {
    if (const auto* list = node.as_array()) {
        value.shape = file_value::kind::list;
        for (const auto& item : *list) {
            if (!is_plain(item)) return r.complain(line_of(item.source()), "a list holds single values only");
            value.items.emplace_back(std::string(), text_of(item));
        }
    } else if (const auto* table = node.as_table()) {
        value.shape = file_value::kind::table;
        for (auto& [name, item] : in_file_order(*table)) {
            if (!is_plain(*item)) {
                return r.complain(line_of(item->source()), fmt::format("'{}' must be a single value", name));
            }
            value.items.emplace_back(std::move(name), text_of(*item));
        }
    }
}

file_table read_table(reading& r, std::string name, unsigned line, const toml::table& table) {
    file_table out{std::move(name), line, {}};
    for (auto& [key, node] : in_file_order(table)) {
        file_value value;
        value.key = std::move(key);
        value.line = line_of(node->source());
        if (is_plain(*node)) {
            value.text = text_of(*node);
        } else {
            read_items(r, *node, value);
        }
        out.values.push_back(std::move(value));
    }
    return out;
}

void read_routes(reading& r, const toml::node& node) {
    const auto* list = node.as_array();
    if (list == nullptr)
        return r.complain(line_of(node.source()), "write [[route]], in two pairs of brackets");
    for (const auto& item : *list) {
        const auto line = line_of(item.source());
        if (!item.is_table()) return r.complain(line, "write each route as a table headed by [[route]]");
        r.file.routes.push_back(read_table(r, "route", line, *item.as_table()));
    }
}

void read_top(reading& r, const toml::table& root) {
    for (const auto& [key, node] : in_file_order(root)) {
        const auto line = line_of(node->source());
        if (key == "route") {
            read_routes(r, *node);
        } else if (node->is_table()) {
            r.file.tables.push_back(read_table(r, key, line, *node->as_table()));
        } else {
            r.complain(line, fmt::format("'{}' stands outside of a table; put it under [postgres], [redis], "
                                         "[http], [log], [context] or [[route]]",
                                         key));
        }
    }
}

core::failure unreadable(const std::string& path, const std::string& why) {
    return {core::errc::invalid_input,
            fmt::format("{}: cannot be read: {}; name a readable file with --config or POSTRIDER_CONFIG",
                        path, why)};
}

}  // namespace

const file_value* file_table::find(std::string_view key) const {
    const auto found =
        std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.key == key; });
    return found == values.end() ? nullptr : &*found;
}

const file_table* toml_file::find(std::string_view table) const {
    const auto found =
        std::find_if(tables.begin(), tables.end(), [&](const auto& t) { return t.name == table; });
    return found == tables.end() ? nullptr : &*found;
}

std::string toml_file::place(unsigned line) const {
    return fmt::format("{}:{}", path, line);
}

core::result<toml_file> parse_toml(std::string_view text, std::string path) {
    reading r{{std::move(path), {}, {}}, {}};
    if (text.size() > largest_file) return unreadable(r.file.path, "it is larger than 1 MiB");
    try {
        read_top(r, toml::parse(text));
    } catch (const toml::parse_error& e) {
        r.complain(line_of(e.source()),
                   fmt::format("not valid TOML: {}; text, and durations with a unit, stand in quotes",
                               e.description()));
    }
    if (!r.problems.empty()) {
        return core::failure{core::errc::invalid_input, fmt::format("{}", fmt::join(r.problems, "\n"))};
    }
    return std::move(r.file);
}

core::result<toml_file> read_toml_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return unreadable(path, std::strerror(errno));
    // One byte past the limit tells a file that is too large from one that just fits.
    std::string text(largest_file + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) return unreadable(path, std::strerror(errno));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return parse_toml(text, path);
}

}  // namespace postrider::service
