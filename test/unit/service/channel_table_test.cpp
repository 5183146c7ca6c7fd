#include "service/channel_table.hpp"

#include <doctest/doctest.h>

using postrider::service::channel_table;

TEST_CASE("channels are numbered as they come, each once") {
    channel_table t;
    t.add("chat").routes.push_back(0);
    t.add("answers").cancels.push_back(1);
    t.add("chat").routes.push_back(2);
    REQUIRE(t.size() == 2);
    CHECK(t[0].channel == 0);
    CHECK(t[0].name == "chat");
    CHECK(t[0].routes == std::vector<std::size_t>{0, 2});
    CHECK(t[1].channel == 1);
    CHECK(t[1].cancels == std::vector<std::size_t>{1});
    CHECK(t.names() == std::vector<std::string>{"chat", "answers"});
}

TEST_CASE("a channel is found by its name alone, and one that concerns no route is not") {
    channel_table t;
    const auto& chat = t.add("chat");
    for (int i = 0; i < 100; ++i)
        t.add("other" + std::to_string(i));
    CHECK(t.find("chat") == &chat);
    CHECK(t.find("other99")->channel == 100);
    CHECK(t.find("cha") == nullptr);
    CHECK(t.find("") == nullptr);
}
