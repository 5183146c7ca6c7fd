// What could not be delivered, from the event to the replay, by the command line.
#include <doctest/doctest.h>

#include <thread>

#include "chat.hpp"
#include "command.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

constexpr const char* two_routes = R"(
[[route]]
name = "grouped"
channel = "letters"
policy = "group"
key = "/match_id"
window = "100ms"
cooldown = "0s"
to = "groups"
[[route]]
name = "single"
channel = "singles"
policy = "immediate"
key = "/match_id"
to = "singles"
)";

// A database with nothing in it, and a bridge for it.
struct setup {
    setup() : setup("letters_" + std::to_string(++number)) {}
    explicit setup(const std::string& name)
        : redis(shared_redis()),
          url(new_database(name)),
          database(url),
          bridge({.postgres_url = url, .redis_url = redis.url(), .file = two_routes}) {
        REQUIRE(bridge.becomes_ready());
        REQUIRE(bridge.answers("/stats", R"("store":"postgres")"));
    }
    command_result dead_letters(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"dead-letters"});
        arguments.insert(arguments.end(), {"--config", folder.write("routes.toml", two_routes)});
        return run_command(std::move(arguments), {{"POSTGRES_URL", url}, {"REDIS_URL", redis.url()}});
    }
    std::string count() { return database.rows("SELECT count(*) FROM postrider.dead_letters").at(0).at(0); }
    bool becomes_count(const std::string& n) {
        return support::eventually([&] { return count() == n; });
    }

    static inline int number = 0;
    support::redis_server& redis;
    std::string url;
    support::sql database;
    support::temporary_folder folder;
    running_postrider bridge;
};

TEST_CASE("events that are turned away become letters as they came, and the same one counts up") {
    setup s;
    INFO(s.bridge.end_of_log());
    s.database.notify("letters", "hello 'world' \\ ☃");
    s.database.notify("letters", R"({"x":1})");
    for (int i = 0; i < 5; ++i)
        s.database.notify("letters", "hello 'world' \\ ☃");
    REQUIRE(s.becomes_count("2"));
    REQUIRE(support::eventually([&] {
        return s.database.rows("SELECT sum(attempts) FROM postrider.dead_letters").at(0).at(0) == "7";
    }));
    const auto rows = s.database.rows(
        "SELECT kind, route, channel, payload, reason, attempts, last_at >= first_at FROM "
        "postrider.dead_letters "
        "ORDER BY id");
    CHECK(rows.at(0) == std::vector<std::string>{"event", "grouped", "letters", "hello 'world' \\ ☃",
                                                 "not_json", "6", "t"});
    CHECK(rows.at(1) ==
          std::vector<std::string>{"event", "grouped", "letters", R"({"x":1})", "no_key", "1", "t"});
    CHECK(s.bridge.answers("/stats",
                           R"("dead_letters":{"store":"postgres","taken":7,"stored":7,"in_memory":0,)"
                           R"("dropped":0,"by_reason":{"no_key":1,"not_json":6}})"));
    // A storm of one payload is one line.
    const auto log = s.bridge.log();
    const auto first = log.find("hello 'world'");
    CHECK(first != std::string::npos);
    CHECK(log.find("hello 'world'", first + 1) == std::string::npos);
}

TEST_CASE("refused pushes become letters, and a replay delivers each once and in order") {
    setup s;
    INFO(s.bridge.end_of_log());
    s.redis.command({"SET", "singles", "no list"});
    s.redis.command({"SET", "groups", "no list"});
    std::vector<std::string> sent;
    for (int i = 0; i < 30; ++i)
        sent.push_back(R"({"match_id":"k)" + std::to_string(i % 3) + R"(","n":)" + std::to_string(i) + "}");
    notify_together(s.database, "singles", sent);
    s.database.notify("letters", R"({"match_id":"g","text":"hi"})");
    const bool all_there = s.becomes_count("31");
    INFO(std::string(s.count() + " " + s.bridge.get("/stats").body));
    REQUIRE(all_there);
    CHECK(s.bridge.answers("/stats", R"("by_reason":{"WRONGTYPE":31})"));
    // The letter has the group now, so the next start must not adopt it.
    CHECK(support::eventually([&] { return s.redis.command({"KEYS", "context*"}).empty(); }));

    // Still refused: the letters stay, and those behind a key's first one are not tried.
    const auto refused = s.dead_letters({"replay", "--route", "single"});
    CHECK(refused.status == 1);
    CHECK(refused.output.find("stays: Redis refuses it again: WRONGTYPE") != std::string::npos);
    CHECK(refused.output.find("30 dead letters could not be replayed") != std::string::npos);
    CHECK(s.database.rows("SELECT count(*) FROM postrider.dead_letters WHERE attempts = 2").at(0).at(0) ==
          "3");

    s.redis.command({"DEL", "singles", "groups"});
    const auto planned = s.dead_letters({"replay", "--dry-run"});
    CHECK(planned.output == "31 dead letters would be replayed\n");
    CHECK(s.count() == "31");
    // Two at once: whoever comes second waits, and finds nothing.
    command_result first;
    command_result second;
    std::thread other([&] { first = s.dead_letters({"replay"}); });
    second = s.dead_letters({"replay"});
    other.join();
    CHECK(first.status == 0);
    CHECK(second.status == 0);
    CHECK(s.redis.list("singles") == sent);
    CHECK(s.redis.list("groups") ==
          std::vector<std::string>{
              R"({"type":"grouped","count":1,"messages":[{"match_id":"g","text":"hi"}]})"});
    CHECK(s.count() == "0");
}

TEST_CASE("a letter keeps its reason where Redis cannot take it for now alone") {
    setup s;
    INFO(s.bridge.end_of_log());
    s.redis.command({"SET", "singles", "no list"});
    s.database.notify("singles", R"({"match_id":"a","n":1})");
    REQUIRE(s.becomes_count("1"));
    s.redis.command({"DEL", "singles"});
    s.redis.command({"CONFIG", "SET", "maxmemory", "1"});
    const auto full = s.dead_letters({"replay"});
    s.redis.command({"CONFIG", "SET", "maxmemory", "0"});
    CHECK(full.status != 0);
    CHECK(full.output.find("OOM") != std::string::npos);
    CHECK(s.database.rows("SELECT reason, attempts FROM postrider.dead_letters") ==
          std::vector<std::vector<std::string>>{{"WRONGTYPE", "1"}});
    CHECK(s.dead_letters({"replay", "--reason", "WRONGTYPE"}).status == 0);
    CHECK(s.redis.list("singles").size() == 1);
}

TEST_CASE("a replay that was cut off between Redis and Postgres is not done twice") {
    setup s;
    INFO(s.bridge.end_of_log());
    s.redis.command({"SET", "singles", "no list"});
    s.database.notify("singles", R"({"match_id":"a","n":1})");
    s.database.notify("singles", R"({"match_id":"a","n":2})");
    REQUIRE(s.becomes_count("2"));
    s.redis.command({"DEL", "singles"});
    // Redis has done the first one, and its row is still there.
    s.database.run("CREATE TABLE cut AS SELECT * FROM postrider.dead_letters ORDER BY id LIMIT 1");
    REQUIRE(s.dead_letters({"replay", "--id", "1"}).status == 0);
    s.database.run("INSERT INTO postrider.dead_letters OVERRIDING SYSTEM VALUE SELECT * FROM cut");
    CHECK(s.dead_letters({"replay"}).output == "2 dead letters replayed\n");
    CHECK(s.redis.list("singles") ==
          std::vector<std::string>{R"({"match_id":"a","n":1})", R"({"match_id":"a","n":2})"});
    CHECK(s.count() == "0");
}

TEST_CASE("an event is replayed on its channel after the route was mended, and nobody else's") {
    setup s;
    INFO(s.bridge.end_of_log());
    s.database.notify("singles", "no JSON");
    s.database.notify("letters", R"({"room":"a"})");
    REQUIRE(s.becomes_count("2"));
    s.database.run("LISTEN letters; LISTEN singles");
    // Mended: the payload was wrong, not the route.
    s.database.run(
        "UPDATE postrider.dead_letters SET payload = '{\"match_id\":\"a\"}' WHERE reason = 'no_key'");
    const auto done = s.dead_letters({"replay", "--reason", "no_key", "--json"});
    CHECK(done.status == 0);
    CHECK(done.output == "{\"replayed\":1,\"failed\":0,\"dry_run\":false}\n");
    CHECK(wait_for_list(s.redis, "groups", 1).size() == 1);
    CHECK(s.count() == "1");

    // Not mended: it comes back, as one letter.
    CHECK(s.dead_letters({"replay"}).status == 0);
    CHECK(s.bridge.answers("/stats", R"("not_json":2)"));
    CHECK(s.becomes_count("1"));

    s.database.run("UPDATE postrider.dead_letters SET route = 'gone'");
    const auto unknown = s.dead_letters({"replay"});
    CHECK(unknown.status == 1);
    CHECK(unknown.output.find("the route 'gone' is not configured any more") != std::string::npos);
    CHECK(s.count() == "1");
}

TEST_CASE("a long command shows how far it is, on a terminal alone") {
    setup s;
    std::vector<std::string> bad;
    for (int i = 0; i < 300; ++i)
        bad.push_back("bad " + std::to_string(i));
    notify_together(s.database, "letters", bad);
    REQUIRE(s.becomes_count("300"));
    const auto quiet = s.dead_letters({"replay", "--id", "1"});
    CHECK(quiet.output == "1 dead letter replayed\n");
    REQUIRE(s.becomes_count("300"));
    support::process::settings program;
    program.arguments = {"script", "-qec", std::string(POSTRIDER_PROGRAM) + " dead-letters drop --all",
                         "/dev/null"};
    program.environment = {{"POSTGRES_URL", s.url}};
    support::process terminal(std::move(program));
    CHECK(terminal.wait() == 0);
    CHECK(terminal.output().find("dropping [") != std::string::npos);
    CHECK(terminal.output().find("300 dead letters dropped") != std::string::npos);
    CHECK(s.count() == "0");
}

TEST_CASE("letters are listed and dropped by filters") {
    setup s;
    s.database.notify("letters", "one");
    s.database.notify("letters", R"({"two":2})");
    s.database.notify("singles", "three");
    REQUIRE(s.becomes_count("3"));
    s.database.run(
        "UPDATE postrider.dead_letters SET last_at = now() - interval '3 hours' WHERE payload = 'one'");

    const auto all = s.dead_letters({"list"});
    CHECK(all.status == 0);
    CHECK(all.output.find("grouped") != std::string::npos);
    CHECK(all.output.find("three") != std::string::npos);
    const auto json = s.dead_letters({"list", "--json", "--route", "grouped", "--reason", "no_key"});
    CHECK(json.output.find(R"("reason":"no_key")") != std::string::npos);
    CHECK(json.output.find(R"("payload":"{\"two\":2}"})") != std::string::npos);
    CHECK(std::count(json.output.begin(), json.output.end(), '\n') == 1);
    CHECK(s.dead_letters({"list", "--older-than", "2h", "--json"}).output.find(R"("payload":"one")") !=
          std::string::npos);
    CHECK(s.dead_letters({"list", "--newer-than", "2h", "--json"}).output.find(R"("payload":"one")") ==
          std::string::npos);
    CHECK(s.dead_letters({"list", "--limit", "1"}).output.find("1 of 3 dead letters shown") !=
          std::string::npos);

    const auto careless = s.dead_letters({"drop"});
    CHECK(careless.status == 2);
    CHECK(careless.output.find("or --all") != std::string::npos);
    CHECK(s.dead_letters({"drop", "--route", "grouped", "--dry-run"}).output ==
          "2 dead letters would be dropped\n");
    CHECK(s.count() == "3");
    CHECK(s.dead_letters({"drop", "--route", "grouped"}).output == "2 dead letters dropped\n");
    CHECK(s.dead_letters({"drop", "--id", "999999"}).output == "0 dead letters dropped\n");
    CHECK(s.count() == "1");
    CHECK(s.dead_letters({"drop", "--all"}).output == "1 dead letter dropped\n");
    CHECK(s.count() == "0");
    CHECK(s.dead_letters({"list", "--older-than", "soon"}).status == 2);
    CHECK(s.dead_letters({"lisst"}).status == 2);
}

}  // namespace
}  // namespace postrider::test
