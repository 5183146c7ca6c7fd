#include "core/nearest.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using postrider::core::nearest;

namespace {

constexpr std::array<std::string_view, 6> known{"window", "window_kind", "max_wait", "to", "key", "channel"};

}  // namespace

TEST_CASE("a misspelt word finds the one that was meant") {
    CHECK(nearest("windw", known) == "window");
    CHECK(nearest("windoww", known) == "window");
    CHECK(nearest("wnidow", known) == "window");
    CHECK(nearest("windaw", known) == "window");
    CHECK(nearest("windowkind", known) == "window_kind");
    CHECK(nearest("max-wait", known) == "max_wait");
    CHECK(nearest("kye", known) == "key");
    CHECK(nearest("WINDOW", known) == "window");
    CHECK(nearest("too", known) == "to");
    CHECK(nearest("window", known) == "window");
}

TEST_CASE("a word that resembles nothing finds nothing") {
    CHECK(nearest("", known) == std::nullopt);
    CHECK(nearest("colour", known) == std::nullopt);
    CHECK(nearest("xyz", known) == std::nullopt);
    CHECK(nearest("wxyzow", known) == std::nullopt);
    CHECK(nearest("window", {}) == std::nullopt);
    CHECK(nearest(std::string(65, 'w'), known) == std::nullopt);
}

TEST_CASE("two neighbours swapped are one slip, not two") {
    constexpr std::array<std::string_view, 1> one{"abc"};
    CHECK(nearest("acb", one) == "abc");
    CHECK(nearest("axy", one) == std::nullopt);
}

TEST_CASE("among equally near words the first wins") {
    constexpr std::array<std::string_view, 3> two{"cat", "bat", "rat"};
    CHECK(nearest("xat", two) == "cat");
    CHECK(nearest("bet", two) == "bat");
}
