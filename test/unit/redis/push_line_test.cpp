#include "redis/push_line.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <string>

using postrider::redis::delivery;
using postrider::redis::push_line;

namespace {

delivery named(std::string key, std::size_t bytes = 1) {
    delivery d;
    d.key = std::move(key);
    d.body = std::string(bytes, 'x');
    d.saved_as = "context:" + d.key;
    return d;
}

push_line filled(int count) {
    push_line line({.kind = postrider::event::target_kind::list, .name = "out"});
    for (int i = 0; i < count; ++i)
        line.add(named(std::to_string(i)));
    return line;
}

}  // namespace

TEST_CASE("an empty line has nothing to send") {
    push_line line = filled(0);
    CHECK(line.next() == nullptr);
    CHECK(line.empty());
    CHECK(line.waiting() == 0);
    CHECK(line.target().name == "out");
}

TEST_CASE("what waits leaves in one batch, in order") {
    push_line line = filled(3);
    const auto* batch = line.next();
    REQUIRE(batch != nullptr);
    REQUIRE(batch->deliveries.size() == 3);
    CHECK(batch->deliveries[0].key == "0");
    CHECK(batch->deliveries[2].key == "2");
    CHECK(line.waiting() == 3);
    CHECK(line.waiting_bytes() == 3);
    const auto done = line.done();
    CHECK(done.size() == 3);
    CHECK(done[1].key == "1");
    CHECK(line.empty());
    CHECK(line.waiting_bytes() == 0);
    CHECK(line.next() == nullptr);
}

TEST_CASE("what waits no more is finished: delivered, refused or taken away") {
    push_line line = filled(3);
    CHECK(line.accepted() == 3);
    line.next();
    CHECK(line.finished() == 0);
    CHECK_FALSE(line.refused());  // of three: one by one from here on
    CHECK(line.finished() == 0);
    line.next();
    CHECK(line.refused());
    CHECK(line.finished() == 1);
    line.next();
    line.done();
    CHECK(line.finished() == 2);
    line.add(named("later"));
    CHECK(line.accepted() == 4);
    CHECK(line.take_all().size() == 2);
    CHECK(line.finished() == 4);
    CHECK(line.accepted() == 4);
}

TEST_CASE("a batch that is sent again is the same, whatever came meanwhile") {
    push_line line = filled(2);
    const auto sequence = line.next()->sequence;
    line.add(named("later"));
    const auto* again = line.next();
    CHECK(again->sequence == sequence);
    CHECK(again->sent_before);
    CHECK(again->deliveries.size() == 2);
    CHECK(line.waiting() == 3);
    line.done();
    const auto* next = line.next();
    CHECK(next->sequence != sequence);
    CHECK_FALSE(next->sent_before);
    REQUIRE(next->deliveries.size() == 1);
    CHECK(next->deliveries[0].key == "later");
}

TEST_CASE("a batch is bounded in number and in bytes, but a delivery of any size leaves") {
    push_line many = filled(2'001);
    CHECK(many.next()->deliveries.size() == 2'000);
    many.done();
    CHECK(many.next()->deliveries.size() == 1);

    push_line large = filled(0);
    large.add(named("larger than a batch", 5 << 20));
    large.add(named("a", 3 << 20));
    large.add(named("b", 1 << 20));
    large.add(named("c", 1));
    CHECK(large.next()->deliveries.size() == 1);
    large.done();
    // Exactly four megabytes.
    CHECK(large.next()->deliveries.size() == 2);
    large.done();
    CHECK(large.next()->deliveries.front().key == "c");
}

TEST_CASE("a refused single delivery is taken out") {
    push_line line = filled(1);
    line.next();
    const auto refused = line.refused();
    REQUIRE(refused.has_value());
    CHECK(refused->key == "0");
    CHECK(line.empty());
    CHECK(line.waiting_bytes() == 0);
    CHECK(line.next() == nullptr);
}

TEST_CASE("of a refused batch each delivery goes alone, in order, before what came later") {
    push_line line = filled(3);
    const auto first_sequence = line.next()->sequence;
    line.add(named("later"));
    line.add(named("later still"));
    CHECK_FALSE(line.refused().has_value());
    CHECK(line.waiting() == 5);

    auto last = first_sequence;
    for (const auto* key : {"0", "1", "2"}) {
        const auto* batch = line.next();
        REQUIRE(batch->deliveries.size() == 1);
        CHECK(batch->deliveries.front().key == key);
        CHECK(batch->sequence > last);
        last = batch->sequence;
        if (key == std::string("1")) {
            CHECK(line.refused()->key == "1");
        } else {
            CHECK(line.done().size() == 1);
        }
    }
    CHECK(line.waiting() == 2);
    CHECK(line.next()->deliveries.size() == 2);
}

TEST_CASE("a batch of one split off is not split again when it is sent again") {
    push_line line = filled(2);
    line.next();
    line.refused();
    const auto sequence = line.next()->sequence;
    CHECK(line.next()->sequence == sequence);
    line.done();
    CHECK(line.next()->deliveries.front().key == "1");
}

TEST_CASE("only a single delivery can forget what it was saved as, and only once") {
    push_line line = filled(2);
    CHECK_FALSE(line.forget_saved());
    line.next();
    CHECK_FALSE(line.forget_saved());
    line.refused();
    line.next();
    CHECK(line.forget_saved());
    CHECK(line.next()->deliveries.front().saved_as.empty());
    CHECK_FALSE(line.forget_saved());
    line.done();
    CHECK(line.next()->deliveries.front().saved_as == "context:1");
}

TEST_CASE("a line holds what waits and what is under way, until it is done") {
    push_line line = filled(1);
    line.next();
    line.add(named("later"));
    CHECK(line.holds("context:0"));
    CHECK(line.holds("context:later"));
    CHECK(!line.holds("context:other"));
    line.done();
    CHECK(!line.holds("context:0"));
}

TEST_CASE("a delivery that waits costs less than 200 bytes beside its body") {
    constexpr std::size_t count = 100'000;
    constexpr std::size_t body = 350;
    constexpr std::size_t body_on_the_heap = 368;  // with the allocator's header and rounding
    push_line line({.kind = postrider::event::target_kind::list, .name = "out"});
    const auto before = mallinfo2().uordblks;
    for (std::size_t i = 0; i < count; ++i) {
        delivery d;
        d.body = std::string(body, 'x');
        line.add(std::move(d));
    }
    const auto held = mallinfo2().uordblks - before;
    // A sanitizer's allocator does not count there.
    if (held != 0) CHECK(held < count * (body_on_the_heap + 200));
    MESSAGE("a waiting delivery costs ", static_cast<double>(held) / count - body_on_the_heap, " bytes");
    REQUIRE(line.next() != nullptr);
}
