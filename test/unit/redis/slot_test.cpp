#include "redis/slot.hpp"

#include <doctest/doctest.h>

#include <string>

using postrider::redis::crc16;
using postrider::redis::hash_tag;
using postrider::redis::hashed_part;
using postrider::redis::slot_of;

TEST_CASE("the checksum is the specification's") {
    // "Keys distribution model", appendix A.
    CHECK(crc16("123456789") == 0x31C3);
    CHECK(crc16("") == 0);
    CHECK(slot_of("123456789") == 0x31C3);
    CHECK(slot_of("") == 0);
}

TEST_CASE("a hash tag decides alone, by the specification's examples") {
    CHECK(hashed_part("{user1000}.following") == "user1000");
    CHECK(hashed_part("foo{}{bar}") == "foo{}{bar}");
    CHECK(hashed_part("foo{{bar}}zap") == "{bar");
    CHECK(hashed_part("foo{bar}{zap}") == "bar");
    CHECK(hashed_part("foo{bar") == "foo{bar");
    CHECK(hashed_part("foo}bar{") == "foo}bar{");
    CHECK(slot_of("{user1000}.following") == slot_of("{user1000}.followers"));
    CHECK(slot_of("foo{bar}{zap}") == slot_of("bar"));
}

TEST_CASE("a name can be made to share a key's slot, unless the key holds a brace that closes nothing") {
    for (const char* key : {"bot_messages", "a{b}c", "{x}", "open{", "k{{y}"}) {
        CAPTURE(key);
        CHECK(slot_of("postrider:{" + std::string(hash_tag(key)) + "}:ledger") == slot_of(key));
    }
    for (const char* key : {"a}b", "{}", "x{}y"})
        CHECK(hash_tag(key).empty());
}
