// The dead letters over HTTP, in Postgres and in memory.
#include <doctest/doctest.h>

#include "command.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

constexpr const char* token = "s3cret-token";
constexpr const char* routes = R"(
[[route]]
name = "grouped"
channel = "letters"
policy = "group"
key = "/k"
window = "100ms"
cooldown = "0s"
to = "groups"
[[route]]
name = "other"
channel = "letters"
policy = "immediate"
key = "/j"
to = "others"
)";

struct admin {
    explicit admin(const std::string& url, bool with_token = true)
        : bridge({.postgres_url = url,
                  .redis_url = shared_redis().url(),
                  .file = routes,
                  .environment =
                      with_token ? std::vector<std::pair<std::string, std::string>>{{"ADMIN_TOKEN", token}}
                                 : std::vector<std::pair<std::string, std::string>>{}}) {
        REQUIRE(bridge.becomes_ready());
    }
    http_answer ask(const std::string& method, const std::string& path,
                    const std::string& with = token) const {
        return http_ask(bridge.port(), method, path, with);
    }
    bool lists(const std::string& text, const std::string& path = "/dead-letters") const {
        return support::eventually([&] { return ask("GET", path).body.find(text) != std::string::npos; });
    }
    // The id of the only letter.
    std::string id() const {
        const auto body = ask("GET", "/dead-letters").body;
        const auto at = body.find(R"("id":")") + 6;
        return body.substr(at, body.find('"', at) - at);
    }
    running_postrider bridge;
};

// The same database as a user who may neither create the schema nor use it.
std::string as_guest(std::string url) {
    support::sql(shared_postgres().url())
        .run("DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    return url.replace(url.find("postgres@"), 8, "guest");
}

TEST_CASE("the letters are for those who know the token") {
    const auto url = new_database("admin_token");
    {
        const admin closed(url, false);
        CHECK(closed.ask("GET", "/dead-letters", "").status == 404);
        CHECK(closed.ask("GET", "/dead-letters").status == 404);
        CHECK(closed.ask("POST", "/dead-letters/1/replay").status == 404);
    }
    const admin open(url);
    for (const auto* wrong : {"", "S3cret-token", "s3cret-toke", "s3cret-token2"}) {
        CAPTURE(wrong);
        const auto refused = open.ask("GET", "/dead-letters", wrong);
        CHECK(refused.status == 401);
        CHECK(refused.head.find("\r\nWWW-Authenticate: Bearer realm=\"postrider\"") != std::string::npos);
        CHECK(open.ask("POST", "/dead-letters/1/replay", wrong).status == 401);
        CHECK(open.ask("DELETE", "/dead-letters/1", wrong).status == 401);
    }
    CHECK(open.lists(R"({"store":"postgres","letters":[],"next":null})"));
    CHECK(open.ask("PUT", "/dead-letters").status == 405);
    CHECK(open.ask("GET", "/dead-letters/1").status == 405);
    CHECK(open.ask("GET", "/dead-letters/1/replay").status == 405);
    CHECK(open.ask("DELETE", "/dead-letters/999").status == 404);
    CHECK(open.ask("POST", "/dead-letters/999/replay").status == 404);
    CHECK(open.ask("DELETE", "/dead-letters/x").status == 404);
    CHECK(open.ask("GET", "/dead-letters?limit=0").status == 400);
    CHECK(open.ask("GET", "/dead-letters?older_than=soon").status == 400);
    CHECK(open.bridge.log().find(token) == std::string::npos);
}

TEST_CASE("letters in Postgres are paged, replayed and dropped over HTTP") {
    auto url = new_database("admin_postgres");
    admin a(url);
    INFO(a.bridge.end_of_log());
    REQUIRE(a.bridge.answers("/stats", R"("store":"postgres")"));
    auto& redis = shared_redis();
    support::sql database(url);
    database.notify("letters", R"({"j":"1"})");  // taken by one route, turned away by the other
    REQUIRE(a.lists(R"("payload":"{\"j\":\"1\"}")"));
    CHECK(redis.list("others").size() == 1);
    database.run("UPDATE postrider.dead_letters SET payload = '{\"j\":\"1\",\"k\":\"a\"}'");
    CHECK(a.ask("POST", "/dead-letters/" + a.id() + "/replay").body.find(R"("status":"replayed")") !=
          std::string::npos);
    CHECK(wait_for_list(redis, "groups", 1).size() == 1);
    // Only the route that had turned it away got it again.
    CHECK(redis.list("others").size() == 1);

    notify_together(database, "letters", {"a", "b", "c"});
    REQUIRE(a.lists(R"("payload":"c")"));
    const auto page = a.ask("GET", "/dead-letters?limit=2&reason=not_json&route=grouped").body;
    CHECK(page.find(R"("payload":"b")") != std::string::npos);
    CHECK(page.find(R"("payload":"c")") == std::string::npos);
    const auto at = page.find(R"("next":")") + 8;
    const auto next = page.substr(at, page.find('"', at) - at);
    const auto rest = a.ask("GET", "/dead-letters?route=grouped&after=" + next).body;
    CHECK(rest.find(R"("payload":"c")") != std::string::npos);
    CHECK(rest.find(R"("payload":"b")") == std::string::npos);
    CHECK(rest.ends_with(R"("next":null})"));
    const auto one = a.ask("GET", "/dead-letters?id=" + next).body;
    CHECK(one.find(R"("payload":"b")") != std::string::npos);
    CHECK(one.find(R"("payload":"c")") == std::string::npos);
    CHECK(a.ask("GET", "/dead-letters?id=m" + next).body.find(R"("letters":[])") != std::string::npos);
    CHECK(a.ask("DELETE", "/dead-letters/" + next).status == 200);
    CHECK(a.ask("DELETE", "/dead-letters/" + next).status == 404);
    CHECK(a.ask("GET", "/dead-letters?route=grouped").body.find(R"("payload":"b")") == std::string::npos);
}

TEST_CASE("a refused push is replayed over HTTP behind the earlier ones of its key alone") {
    std::string url;
    std::string prefix;
    SUBCASE("in Postgres") {
        url = new_database("admin_order");
    }
    SUBCASE("in memory") {
        url = as_guest(new_database("admin_order_memory"));
        prefix = "m";
    }
    admin a(url);
    INFO(a.bridge.end_of_log());
    auto& redis = shared_redis();
    redis.command({"SET", "groups", "no list"});
    support::sql database(url);
    // One after another, so that each has its letter before the next one's group opens.
    int letters = 0;
    for (const auto* key : {"a", "a", "b"}) {
        database.notify("letters",
                        std::string(R"({"k":")") + key + R"(","j":")" + std::to_string(++letters) + R"("})");
        REQUIRE(a.lists(R"("id":")" + prefix + std::to_string(letters) + '"'));
    }
    redis.command({"DEL", "groups"});
    const auto replay = [&](int letter) {
        return a.ask("POST", "/dead-letters/" + prefix + std::to_string(letter) + "/replay");
    };
    const auto refused = replay(2);
    CHECK(refused.status == 409);
    CHECK(refused.body.find("dead letter " + prefix + "1 of the same route and key comes first") !=
          std::string::npos);
    CHECK(replay(3).status == 200);
    CHECK(replay(1).status == 200);
    CHECK(replay(2).status == 200);
    const auto list = redis.list("groups");
    REQUIRE(list.size() == 3);
    CHECK(list[0].find(R"({"k":"b","j":"3"})") != std::string::npos);
    CHECK(list[1].find(R"({"k":"a","j":"1"})") != std::string::npos);
    CHECK(list[2].find(R"({"k":"a","j":"2"})") != std::string::npos);
}

TEST_CASE("without rights in Postgres the letters stay in memory, and move once the schema is there") {
    const auto owner = new_database("admin_memory");
    const auto url = as_guest(owner);
    admin a(url);
    INFO(a.bridge.end_of_log());
    auto& redis = shared_redis();
    CHECK(a.bridge.logs("dead letters: kept in memory only, at most 10000, and gone with this process: "));
    CHECK(a.bridge.logs("run 'postrider schema --apply --grant-to guest' with an owner's --postgres-url"));
    support::sql database(url);
    database.notify("letters", R"({"k":{},"j":"1"})");
    REQUIRE(a.lists(R"({"store":"memory","letters":[{"id":"m1","kind":"event","route":"grouped")"));
    CHECK(a.bridge.answers("/stats",
                           R"("dead_letters":{"store":"memory","taken":1,"stored":0,"in_memory":1,)"));
    CHECK(a.bridge.answers("/metrics", "\npostrider_dead_letters_in_memory 1\n"));
    CHECK(a.bridge.answers("/metrics", "\npostrider_dead_letters_stored_total 0\n"));
    const auto blind = run_command({"dead-letters", "list", "--postgres-url", url});
    CHECK(blind.status == 1);
    CHECK(blind.output.find("keeps its dead letters in its memory, where only its own GET /dead-letters sees "
                            "them") != std::string::npos);

    // Refused pushes are replayed from memory too, once.
    redis.command({"SET", "groups", "no list"});
    database.notify("letters", R"({"k":"a","j":"2"})");
    REQUIRE(a.lists(R"("reason":"WRONGTYPE")"));
    CHECK(a.ask("POST", "/dead-letters/m2/replay").status == 409);
    redis.command({"DEL", "groups"});
    CHECK(a.ask("POST", "/dead-letters/m2/replay").status == 200);
    CHECK(a.ask("POST", "/dead-letters/m2/replay").status == 404);
    CHECK(redis.list("groups").size() == 1);
    // The event is still wrong, so it is back.
    CHECK(a.ask("POST", "/dead-letters/m1/replay").status == 200);
    CHECK(a.ask("POST", "/dead-letters/m1/replay").status == 404);
    CHECK(a.lists(R"("reason":"key_type")"));

    REQUIRE(run_command({"schema", "--apply", "--grant-to", "guest", "--postgres-url", owner}).status == 0);
    CHECK(a.bridge.logs("dead letters: kept in Postgres", 60s));
    CHECK(a.lists(R"({"store":"postgres","letters":[{"id":"1",)"));
    CHECK(a.bridge.answers("/stats", R"("in_memory":0)"));
}

TEST_CASE("letters beyond the bounds of the memory go, the oldest first, and are counted") {
    constexpr int most = 10'000, events = most / 2 + 5;
    const auto url = as_guest(new_database("admin_bounds"));
    admin a(url);
    INFO(a.bridge.end_of_log());
    REQUIRE(a.bridge.logs("dead letters: kept in memory only"));
    support::sql database(url);
    std::vector<std::string> bad;
    for (int i = 0; i < events; ++i)
        bad.push_back("no JSON " + std::to_string(i));
    // Each of the two routes turns each of them away.
    notify_together(database, "letters", bad);
    for (const auto* line :
         {"\npostrider_dead_letters_total 10010\n", "\npostrider_dead_letters_dropped_total 10\n",
          "\npostrider_dead_letters_in_memory 10000\n", "\npostrider_dead_letters_stored_total 0\n"})
        CHECK_MESSAGE(a.bridge.answers("/metrics", line), line);
    CHECK(a.ask("GET", "/dead-letters?limit=1").body.find(R"("payload":"no JSON 5")") != std::string::npos);
}

}  // namespace
}  // namespace postrider::test
