#include "redis/greeting.hpp"

#include <string>
#include <string_view>

#include "core/printable.hpp"
#include "redis/classify.hpp"

namespace postrider::redis {
namespace {

bool has_credentials(const options& o) {
    return !o.user.empty() || !o.password.empty();
}

// The server's own words, bounded, and without line ends that would break a log line.
std::string words_of(const reply& error) {
    constexpr std::size_t longest = 300;
    return core::one_line(std::string_view(error.text).substr(0, longest));
}

core::failure refused(std::string words) {
    return {core::errc::authentication, std::move(words)};
}

core::failure not_authenticated(const options& o, const reply& error) {
    const auto code = code_of(error);
    if (code == "NOAUTH")
        return refused("Redis asks for a password (" + words_of(error) +
                       "); put it into REDIS_URL: redis://:password@host:6379/0");
    if (code == "WRONGPASS" || error.text.starts_with("ERR invalid password"))
        return refused("Redis refused the " + std::string(o.user.empty() ? "password" : "user or password") +
                       " in REDIS_URL (" + words_of(error) + ")");
    if (error.text.find("without any password configured") != std::string::npos ||
        error.text.find("no password is set") != std::string::npos)
        return refused("REDIS_URL holds a password, but this Redis has none set (" + words_of(error) +
                       "); take it out of REDIS_URL, or set `requirepass` on the server");
    if (error.text.find("wrong number of arguments") != std::string::npos)
        return refused("this Redis is older than 6 and knows no users (" + words_of(error) +
                       "); leave the user out of REDIS_URL: redis://:password@host:6379/0");
    return turned_away(error);
}

core::failure not_selected(const options& o, const reply& error) {
    if (error.text.find("out of range") == std::string::npos) return turned_away(error);
    return {core::errc::invalid_input,
            "Redis has no database " + std::to_string(o.database) + " (" + words_of(error) +
                "); mend the number in REDIS_URL, or raise `databases` on the server"};
}

}  // namespace

core::failure turned_away(const reply& error) {
    const auto code = code_of(error);
    if (code == "NOAUTH" || code == "NOPERM" || code == "WRONGPASS")
        return refused("Redis refused this user (" + words_of(error) +
                       "); mend the user in REDIS_URL, or its rights on the server (ACL SETUSER)");
    return {core::errc::server_error, "Redis answered: " + words_of(error)};
}

pipeline greeting(const options& o) {
    pipeline commands;
    if (has_credentials(o)) {
        if (o.user.empty()) {
            commands.add({"AUTH", o.password});
        } else {
            commands.add({"AUTH", o.user, o.password});
        }
    }
    if (o.database != 0) commands.add({"SELECT", std::to_string(o.database)});
    if (!o.client_name.empty()) commands.add({"CLIENT", "SETNAME", o.client_name});
    commands.add({"PING"});
    if (o.must_be_primary) commands.add({"ROLE"});
    return commands;
}

core::result<void> welcome(const options& o, const std::vector<reply>& replies) {
    auto next = replies.begin();
    if (has_credentials(o)) {
        if (next->is_error()) return not_authenticated(o, *next);
        ++next;
    }
    if (o.database != 0) {
        if (next->is_error() && code_of(*next) == "NOAUTH") return not_authenticated(o, *next);
        if (next->is_error()) return not_selected(o, *next);
        ++next;
    }
    // Some hosted servers know no CLIENT, some users may not name themselves or ping: an answer is an answer.
    const reply& ping = o.must_be_primary ? *(replies.end() - 2) : replies.back();
    if (ping.is_error() && code_of(ping) == "NOAUTH") return not_authenticated(o, ping);
    if (ping.is_error() && code_of(ping) != "NOPERM") return turned_away(ping);
    if (o.must_be_primary) return is_primary(replies.back());
    return core::result<void>();
}

core::result<void> is_primary(const reply& role) {
    if (role.items.empty() || role.items[0].text == "master") return core::result<void>();
    return core::failure{core::errc::server_error,
                         "this server is no primary, but says that it is a '" + role.items[0].text + "'"};
}

}  // namespace postrider::redis
