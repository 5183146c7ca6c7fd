#include "service/parked_events.hpp"

#include <doctest/doctest.h>

#include "support/loop.hpp"

namespace postrider::service {
namespace {

event::parked numbered(std::uint64_t number) {
    event::parked p;
    p.channel = "chat";
    p.numbers.emplace_back("a", number);
    return p;
}

event::parked row(std::int64_t id) {
    auto p = numbered(1);
    p.id = id;
    return p;
}

// No call of these tests may reach a server.
struct without_server {
    parked_events parked{{.conninfo = "host=/nowhere", .name = "test"}};

    // The numbers of what waits to be written, oldest first; none is left.
    std::vector<std::uint64_t> take_all() {
        std::vector<std::uint64_t> all;
        while (const auto p = parked.take_unwritten())
            all.push_back(p->number_of("a"));
        return all;
    }
};

using numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("events are put aside in the order in which they came") {
    without_server t;
    for (const auto n : {3U, 1U, 2U})
        t.parked.add(numbered(n));
    CHECK(t.parked.unwritten() == 3);
    CHECK(t.take_all() == numbers{3, 1, 2});
    CHECK(t.parked.unwritten() == 0);
}

TEST_CASE("while another leads nothing is written, and nothing is put in front") {
    without_server t;
    test::loop loop;
    t.parked.add(numbered(1));
    t.parked.add_in_front(numbered(2));
    CHECK_FALSE(t.parked.may_write());
    CHECK_FALSE(loop.value_of(t.parked.write_some()).value());
    CHECK_FALSE(loop.value_of(t.parked.put_back()).value());
    CHECK(t.parked.unwritten() == 1);
    CHECK(t.parked.left_in_front() == 1);
}

TEST_CASE("what the table has already is not written once more, and counts as put aside") {
    without_server t;
    for (const auto n : {4U, 5U, 6U})
        t.parked.add(numbered(n));
    t.parked.add(numbered(0));
    t.parked.stand_behind({{"a", 1, 5}, {"b", 1, 100}});
    CHECK(t.parked.in_table() == 2);
    CHECK(t.take_all() == numbers{6, 0});
    CHECK_FALSE(t.parked.is_parking());
}

TEST_CASE("what came before this process is what the table has and what waits here") {
    without_server t;
    t.parked.add(numbered(6));
    t.parked.take_over({{"a", 1, 5}});
    REQUIRE(t.parked.before().size() == 1);
    CHECK(t.parked.before().front().first == 1);
    CHECK(t.parked.before().front().last == 6);
    CHECK(t.parked.unwritten() == 1);
    t.parked.forget_before();
    CHECK(t.parked.before().empty());
    CHECK(t.parked.is_parking());
}

TEST_CASE("who takes over puts aside what is heard only where something is put aside") {
    without_server t;
    t.parked.take_over({});
    CHECK_FALSE(t.parked.is_parking());
    t.parked.take_over({{"a", 1, 5}});
    CHECK(t.parked.is_parking());
    t.parked.forget();
    CHECK_FALSE(t.parked.is_parking());
    // One without a number belongs to no range.
    t.parked.add(numbered(0));
    t.parked.take_over({});
    CHECK(t.parked.before().empty());
    CHECK(t.parked.is_parking());
}

TEST_CASE("what was taken is deleted once a mark behind it is reached, and not before") {
    without_server t;
    test::loop loop;
    CHECK(t.parked.is_deleted());
    t.parked.took({row(7), row(8)});
    CHECK_FALSE(t.parked.is_deleted());
    // Nothing to delete yet, or this would ask the server.
    CHECK(loop.value_of(t.parked.delete_done()).has_value());
    t.parked.mark(false);
    CHECK(loop.value_of(t.parked.delete_done()).has_value());
    t.parked.mark(false);
    CHECK(loop.value_of(t.parked.delete_done()).has_value());
    t.parked.mark(true);
    CHECK_FALSE(loop.value_of(t.parked.delete_done()).has_value());
    CHECK_FALSE(t.parked.is_deleted());
}

TEST_CASE("a mark that is reached says nothing of what was taken behind it") {
    without_server t;
    test::loop loop;
    t.parked.mark(false);
    t.parked.took({row(7)});
    t.parked.mark(true);
    CHECK(loop.value_of(t.parked.delete_done()).has_value());
}

TEST_CASE("what is taken back leaves the count of what is put aside, which does not pass zero") {
    without_server t;
    for (const auto n : {1U, 2U, 3U})
        t.parked.add(numbered(n));
    t.parked.stand_behind({{"a", 1, 3}});
    CHECK(t.parked.in_table() == 3);
    t.parked.took({row(1), row(2)});
    CHECK(t.parked.in_table() == 1);
    t.parked.took({});
    CHECK(t.parked.in_table() == 1);
    t.parked.took({row(3), row(4)});
    CHECK(t.parked.in_table() == 0);
}

TEST_CASE("to forget what is written keeps what waits to be written, and to forget drops it") {
    without_server t;
    const auto fill = [&] {
        t.parked.add(numbered(9));
        t.parked.take_over({{"a", 1, 5}});
        t.parked.note_new_numbers();
        t.parked.took({row(7)});
        t.parked.add_in_front(numbered(1));
    };
    const auto check_forgotten = [&] {
        CHECK(t.parked.before().empty());
        CHECK_FALSE(t.parked.is_parking());
        CHECK_FALSE(t.parked.has_new_numbers());
        CHECK(t.parked.in_table() == 0);
        CHECK(t.parked.is_deleted());
    };
    fill();
    t.parked.forget_written();
    check_forgotten();
    CHECK(t.parked.unwritten() == 1);
    fill();
    t.parked.forget();
    check_forgotten();
    CHECK(t.parked.unwritten() == 0);
    // What a stop has gathered stays: nothing else has it.
    CHECK(t.parked.left_in_front() == 2);
}

TEST_CASE("nobody waits for a look at the table that is not wanted any more, however silent Postgres is") {
    test::loop loop;
    // Takes connections and says nothing.
    asio::ip::tcp::acceptor silent(loop.executor(), {asio::ip::address_v4::loopback(), 0});
    postgres::parking_settings s;
    s.conninfo = "host=127.0.0.1 user=u dbname=d port=" + std::to_string(silent.local_endpoint().port());
    s.connect_timeout = s.statement_timeout = core::milliseconds(3'600'000);
    parked_events parked(s);
    std::optional<core::result<std::vector<event::parked_range>>> found;
    asio::co_spawn(loop.context(), parked.find(),
                   [&](const std::exception_ptr& error, core::result<std::vector<event::parked_range>> r) {
                       CHECK(!error);
                       found.emplace(std::move(r));
                   });
    bool came = false;
    silent.async_wait(asio::ip::tcp::acceptor::wait_read, [&](const auto& error) { came = !error; });
    REQUIRE(loop.until([&] { return came; }));
    CHECK_FALSE(found);
    parked.stop_finding();
    REQUIRE(loop.until([&] { return found.has_value(); }));
    REQUIRE_FALSE(found->has_value());
    CHECK(found->error().code == core::errc::stopped);
    // Nor for a later one.
    const auto again = loop.value_of(parked.find());
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().code == core::errc::stopped);
}

}  // namespace postrider::service
