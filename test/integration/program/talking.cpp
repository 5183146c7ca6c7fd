#include "talking.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include "support/eventually.hpp"

namespace postrider::test {

using namespace std::chrono_literals;

std::string both_ways(const std::string& window, const std::string& cooldown, const std::string& sections) {
    return sections + R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = ")" +
           window +
           R"("
cooldown = ")" +
           cooldown + R"("
to = "groups"
fields = { match_id = "/match_id" }
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
)";
}

std::string next_message(chat& talk) {
    return talk.next("k" + std::to_string(talk.total() % 25));
}

void keep_talking(support::sql& database, chat& talk, const std::function<bool()>& enough) {
    auto next = std::chrono::steady_clock::now();
    const bool reached = support::repeatedly(
        [&] {
            if (enough()) return true;
            if (std::chrono::steady_clock::now() < next) return false;
            database.notify("chat", next_message(talk));
            next = std::chrono::steady_clock::now() + 15ms;
            return false;
        },
        120s);
    REQUIRE(reached);
}

void keep_talking(support::sql& database, chat& talk, std::size_t more) {
    const auto goal = talk.total() + more;
    keep_talking(database, talk, [&] { return talk.total() >= goal; });
}

}  // namespace postrider::test
