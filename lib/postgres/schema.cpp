#include "postgres/schema.hpp"

#include <fmt/format.h>

#include "postgres/schema_text.hpp"

namespace postrider::postgres {
namespace {

// An identifier in quotes; a role's name comes from whoever runs the command, and may hold anything.
std::string quoted(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) {
        text += c;
        if (c == '"') text += c;
    }
    return text + '"';
}

std::string statements(const std::string& grant_to) {
    std::string sql(embedded_schema);
    if (grant_to.empty()) return sql;
    const auto role = quoted(grant_to);
    return sql + fmt::format(
                     "\n-- The service's own user.\n"
                     "GRANT USAGE ON SCHEMA postrider TO {0};\n"
                     "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postrider TO {0};\n",
                     role);
}

// Creating asks for rights even where everything is there already, so this comes first. Names are looked up
// in the catalogue alone, because to_regclass() fails where the user may not look into the schema.
constexpr auto usable = R"(
SELECT coalesce(has_schema_privilege(to_regnamespace('postrider'), 'USAGE'), false)
   AND count(*) FILTER (WHERE relname = 'schema_version') = 1
   AND bool_and(has_table_privilege(oid, 'SELECT')
                AND (relname = 'schema_version'
                     OR has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE')
                    AND has_table_privilege(oid, 'DELETE')))
FROM pg_class WHERE relnamespace = to_regnamespace('postrider') AND relkind = 'r')";

asio::awaitable<core::result<std::string>> current_user(connection& c, net::deadline limit) {
    parameters none;
    auto answer = co_await c.query("SELECT current_user", std::move(none), limit);
    if (!answer) co_return answer.error();
    co_return answer->at(0).at(0).value_or("");
}

}  // namespace

std::string schema_script(const std::string& grant_to) {
    return "BEGIN;\n" + statements(grant_to) + "COMMIT;\n";
}

std::string with_mend(const std::string& words, const std::string& user) {
    return fmt::format("{}; run 'postrider schema --apply --grant-to {}' with an owner's --postgres-url",
                       words, user);
}

asio::awaitable<core::result<void>> apply_schema(connection& c, std::string grant_to, net::deadline limit) {
    auto script = statements(grant_to);
    auto done = co_await c.script(std::move(script), limit);
    if (done || done.error().code != core::errc::server_error) co_return done;
    const auto user = co_await current_user(c, limit);
    if (!user) co_return done;
    core::failure why = done.error();
    why.message = with_mend(why.message, *user);
    co_return why;
}

asio::awaitable<core::result<bool>> schema_is_usable(connection& c, net::deadline limit) {
    parameters none;
    auto rights = co_await c.query(usable, std::move(none), limit);
    if (!rights) co_return rights.error();
    if (rights->at(0).at(0) != "t") co_return false;
    parameters wanted{std::to_string(schema_version)};
    auto version =
        co_await c.query("SELECT coalesce(max(version), 0) >= $1::integer FROM postrider.schema_version",
                         std::move(wanted), limit);
    if (!version) co_return version.error();
    co_return version->at(0).at(0) == "t";
}

asio::awaitable<core::result<void>> ensure_schema(connection& c, net::deadline limit) {
    auto before = co_await schema_is_usable(c, limit);
    if (!before) co_return before.error();
    if (*before) co_return boost::system::in_place_value;
    std::string nobody;
    auto applied = co_await apply_schema(c, std::move(nobody), limit);
    if (!applied) co_return applied.error();
    auto after = co_await schema_is_usable(c, limit);
    if (!after) co_return after.error();
    if (*after) co_return boost::system::in_place_value;
    const auto user = co_await current_user(c, limit);
    if (!user) co_return user.error();
    auto words = with_mend("this user lacks rights on the schema postrider", *user);
    co_return core::failure{core::errc::server_error, std::move(words)};
}

}  // namespace postrider::postgres
