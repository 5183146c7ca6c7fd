#include "letter_session.hpp"

#include "postgres/schema.hpp"

namespace postrider::test {

letter_session::letter_session(const std::string& name) {
    auto opened = l.value_of(postgres::connection::open(letter_database(name), 1min));
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    c.emplace(std::move(*opened));
    const auto ready = l.value_of(postgres::ensure_schema(*c, in(1min)));
    REQUIRE_MESSAGE(ready.has_value(), (ready ? "" : ready.error().message));
}

}  // namespace postrider::test
