#include <doctest/doctest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "event/grouper.hpp"
#include "event/payload.hpp"

namespace {

// What the heap holds and how often it was asked, the allocator's own header included.
std::size_t held_bytes = 0;
std::size_t allocations = 0;
constexpr std::size_t header_bytes = 8;

}  // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    void* const p = std::malloc(size);
    if (p == nullptr) return nullptr;
    held_bytes += malloc_usable_size(p) + header_bytes;
    ++allocations;
    return p;
}

void* operator new(std::size_t size) {
    void* const p = operator new(size, std::nothrow);
    if (p == nullptr) throw std::bad_alloc();
    return p;
}

void operator delete(void* p) noexcept {
    if (p == nullptr) return;
    held_bytes -= malloc_usable_size(p) + header_bytes;
    std::free(p);
}

void operator delete(void* p, std::size_t) noexcept {
    operator delete(p);
}

namespace {

using namespace postrider::event;

// As long as a UUID.
std::string uuid(int i) {
    const auto number = std::to_string(i);
    return "00000000-0000-4000-8000-" + std::string(12 - number.size(), '0') + number;
}

}  // namespace

TEST_CASE("an open group of a UUID key with an id costs less than 400 bytes beside its payload") {
    // One more than a power of two: the moment at which tables that double have the most slack.
    constexpr int groups = (1 << 17) + 1;
    const std::string payload(350, 'x');
    const auto before = held_bytes;
    grouper g{grouping{}};
    std::vector<group> leaving;
    for (int i = 0; i < groups; ++i)
        g.add(uuid(i), uuid(i), payload, steady_time{}, leaving);
    const auto each = (held_bytes - before) / groups - payload.size();
    MESSAGE("bytes a group beside its payload: ", each);
    CHECK(each < 400);
    CHECK(each > 100);
}

TEST_CASE("a large group's string holds little more than its messages and is seldom moved") {
    grouping rules;
    rules.max_events = 1'000'000;
    rules.max_bytes = 1'000'000;
    grouper g(rules);
    std::vector<group> leaving;
    const std::string payload(99, 'x');
    const auto bytes_before = held_bytes;
    const auto allocations_before = allocations;
    while (leaving.empty() && g.open_bytes() < 999'999)
        g.add("a", "", payload, steady_time{}, leaving);
    CHECK(leaving.empty());
    CHECK(allocations - allocations_before < 100);
    CHECK(held_bytes - bytes_before < 1'000'000 + 1'000);
}

TEST_CASE("keys that come once are forgotten after their cooldown") {
    grouper g{grouping{}};
    std::vector<group> leaving;
    leaving.reserve(100);
    const auto round = [&](int first) {
        const auto now = steady_time{} + std::chrono::seconds(first);
        for (int i = first; i < first + 100; ++i)
            g.add(uuid(i), "", "1", now, leaving);
        g.due(now + std::chrono::seconds(20), leaving);
        leaving.clear();
        g.due(now + std::chrono::seconds(30), leaving);
    };
    round(0);
    const auto before = held_bytes;
    for (int i = 1; i < 50; ++i)
        round(i * 100);
    CHECK(held_bytes == before);
}

TEST_CASE("reading an envelope allocates its key and nothing else") {
    payload_reader reader;
    route r;
    r.key = "/match_id";
    const auto payload =
        R"({"id":17,"text":")" + std::string(250, 'x') + R"(","match_id":")" + uuid(1) + R"("})";
    REQUIRE(reader.read(r, payload).has_value());
    const auto before = allocations;
    REQUIRE(reader.read(r, payload).has_value());
    CHECK(allocations - before == 1);
}
