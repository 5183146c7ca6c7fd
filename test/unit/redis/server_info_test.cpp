#include "redis/server_info.hpp"

#include <doctest/doctest.h>

using postrider::redis::info_field;

TEST_CASE("a field of INFO is found by its whole name, without the line's end") {
    constexpr std::string_view info =
        "# Clients\r\nconnected_clients:17\r\nmaxclients:10000\r\nclients_in_timeout_table:0\r\n\r\n"
        "# Memory\r\nused_memory:1024\r\nused_memory_human:1.00K\r\nexecutable:/opt/redis:7/server\r\n"
        "empty:\r\nlast:3";
    CHECK(info_field(info, "connected_clients") == "17");
    CHECK(info_field(info, "used_memory_human") == "1.00K");
    CHECK(info_field(info, "used_memory") == "1024");
    CHECK(info_field(info, "executable") == "/opt/redis:7/server");
    CHECK(info_field(info, "empty") == "");
    CHECK(info_field(info, "last") == "3");
}

TEST_CASE("one server's figures stay as it writes them, and those of several are added") {
    const std::string one =
        "connected_clients:2\r\nused_memory:1024\r\nused_memory_human:1.00K\r\ntotal_commands_processed:3\r\n"
        "keyspace_hits:4\r\nkeyspace_misses:5\r\n";
    postrider::redis::server_info sum;
    postrider::redis::add_info(sum, one);
    CHECK(sum.used_memory_human == "1.00K");
    postrider::redis::add_info(sum, one);
    CHECK(sum.connected_clients == 4);
    CHECK(sum.used_memory_human == "2.00K");
    CHECK(sum.total_commands_processed == 6);
    CHECK(sum.keyspace_hits == 8);
    CHECK(sum.keyspace_misses == 10);
}

TEST_CASE("a field that INFO does not have is empty") {
    CHECK(info_field("connected_clients:17\r\n", "clients") == "");
    CHECK(info_field("connected_clients:17\r\n", "connected") == "");
    CHECK(info_field("connected_clients:17\r\n", "connected_clients:17") == "");
    CHECK(info_field("", "a") == "");
    CHECK(info_field("a", "a") == "");
}
