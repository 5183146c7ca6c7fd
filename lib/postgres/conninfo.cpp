#include "postgres/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace postrider::postgres {
namespace {

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    for (std::size_t from = 0;;) {
        const auto comma = list.find(',', from);
        parts.emplace_back(list.substr(from, comma == std::string_view::npos ? comma : comma - from));
        if (comma == std::string_view::npos) return parts;
        from = comma + 1;
    }
}

// libpq quotes the piece it stumbled over, and that may be half a password with quotation marks of its own.
std::string without_quotations(std::string words) {
    if (const auto first = words.find('"'); first != std::string::npos)
        words.replace(first, words.rfind('"') - first + 1, "…");
    while (!words.empty() && words.back() == '\n')
        words.pop_back();
    return words;
}

struct parsed {
    std::vector<std::string> hosts{""};
    std::vector<std::string> addresses;
    std::vector<std::string> ports;
    std::string session = "any";
    std::vector<std::pair<std::string, std::string>> others;
};

core::result<parsed> parse(const std::string& conninfo) {
    char* words = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(conninfo.c_str(), &words), &PQconninfoFree);
    if (!options) {
        const std::string why = words != nullptr ? words : "out of memory";
        PQfreemem(words);
        return core::failure{core::errc::invalid_input,
                             "the Postgres connection string cannot be read: " + without_quotations(why)};
    }
    parsed p;
    for (const auto* o = options.get(); o->keyword != nullptr; ++o) {
        if (o->val == nullptr || *o->val == '\0') continue;
        const std::string_view keyword = o->keyword;
        if (keyword == "host")
            p.hosts = split(o->val);
        else if (keyword == "hostaddr")
            p.addresses = split(o->val);
        else if (keyword == "port")
            p.ports = split(o->val);
        else if (keyword == "target_session_attrs")
            p.session = o->val;
        else
            p.others.emplace_back(o->keyword, o->val);
    }
    if (p.hosts.size() == 1 && p.hosts[0].empty())
        p.hosts.resize(std::max<std::size_t>(p.addresses.size(), 1));
    return p;
}

// What no server could mend; empty: nothing.
std::string wrong_lists(const parsed& p) {
    const auto hosts = std::to_string(p.hosts.size());
    for (const auto& host : p.hosts)
        if (host.find('@', 1) != std::string::npos)
            return "holds an '@' in the host: write an '@' in the password as %40";
    if (!p.addresses.empty() && p.addresses.size() != p.hosts.size())
        return "names " + hosts + " hosts but " + std::to_string(p.addresses.size()) +
               " addresses: give one hostaddr a host, or none";
    if (p.ports.size() > 1 && p.ports.size() != p.hosts.size())
        return "names " + hosts + " hosts but " + std::to_string(p.ports.size()) +
               " ports: give one port for all, or one a host";
    return {};
}

candidate make(const parsed& p, std::size_t i, const std::string& session) {
    candidate c;
    c.host = p.hosts[i];
    if (!p.ports.empty()) c.port = p.ports.size() == 1 ? p.ports[0] : p.ports[i];
    c.parameters = p.others;
    if (!c.host.empty()) c.parameters.emplace_back("host", c.host);
    if (i < p.addresses.size() && !p.addresses[i].empty())
        c.parameters.emplace_back("hostaddr", p.addresses[i]);
    if (!c.port.empty()) c.parameters.emplace_back("port", c.port);
    c.parameters.emplace_back("target_session_attrs", session);
    return c;
}

}  // namespace

std::string candidate::describe() const {
    std::string name = host;
    for (const auto& [keyword, value] : parameters)
        if (name.empty() && keyword == "hostaddr") name = value;
    if (name.empty()) name = "localhost";
    if (name.front() != '/' && name.find(':') != std::string::npos) name = "[" + name + "]";
    return name + ":" + (port.empty() ? "5432" : port);
}

core::result<std::vector<candidate>> candidates(const std::string& conninfo) {
    const auto p = parse(conninfo);
    if (!p) return p.error();
    if (const auto wrong = wrong_lists(*p); !wrong.empty())
        return core::failure{core::errc::invalid_input, "the Postgres connection string " + wrong};
    const bool prefers_standby = p->session == "prefer-standby";
    std::vector<candidate> all;
    for (std::size_t i = 0; i < p->hosts.size(); ++i)
        all.push_back(make(*p, i, prefers_standby ? "standby" : p->session));
    for (std::size_t i = 0; prefers_standby && i < p->hosts.size(); ++i)
        all.push_back(make(*p, i, "any"));
    return all;
}

}  // namespace postrider::postgres
