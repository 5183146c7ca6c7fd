#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <set>
#include <stdexcept>

#include "support/certificates.hpp"
#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/postgres_server.hpp"
#include "support/proc.hpp"
#include "support/redis_server.hpp"
#include "support/sql.hpp"

namespace postrider::support {
namespace {

using texts = std::vector<std::string>;

std::string words_of(const std::function<void()>& failing) {
    try {
        failing();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing was thrown";
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("free ports are all different") {
    std::set<std::uint16_t> seen;
    for (int i = 0; i < 200; ++i)
        CHECK(seen.insert(free_port()).second);
}

TEST_CASE("redis keeps its data and port over stop, kill and start") {
    redis_server redis;
    const auto port = redis.port();
    CHECK(redis.command({"RPUSH", "list", "a", "b"}) == texts{"2"});
    redis.stop();
    CHECK_THROWS_AS(redis.command({"PING"}), std::runtime_error);
    redis.start();
    redis.start();
    CHECK(redis.list("list") == texts{"a", "b"});
    CHECK(redis.integer({"RPUSH", "list", "c"}) == 3);
    redis.kill();
    redis.start();
    CHECK(redis.port() == port);
    CHECK(redis.list("list") == texts{"a", "b", "c"});
}

TEST_CASE("a redis that is not persistent forgets") {
    redis_server redis({.persistent = false});
    redis.command({"SET", "key", "value"});
    redis.stop();
    redis.start();
    CHECK(redis.command({"GET", "key"}).empty());
}

TEST_CASE("redis replies are flattened and errors thrown") {
    redis_server redis;
    CHECK(redis.command({"EVAL", "return {'a', 1, {'b', false}, 'c'}", "0"}) ==
          texts{"a", "1", "b", "", "c"});
    CHECK(redis.command({"SET", "binary", std::string("\0\r\n", 3)}) == texts{"OK"});
    CHECK(redis.command({"GET", "binary"}) == texts{std::string("\0\r\n", 3)});
    CHECK(contains(words_of([&] { redis.command({"LPUSH", "binary", "x"}); }), "WRONGTYPE"));
    CHECK(redis.command({"PING"}) == texts{"PONG"});
    CHECK(access(redis.unix_path().c_str(), F_OK) == 0);
}

TEST_CASE("a paused redis answers when it is resumed") {
    redis_server redis;
    redis.pause();
    auto answer = std::async(std::launch::async, [&] { return redis.command({"PING"}); });
    CHECK(answer.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout);
    redis.resume();
    CHECK(answer.get() == texts{"PONG"});
    redis.pause();
    redis.stop();
}

TEST_CASE("redis asks for the password, TLS and users it was given") {
    const temporary_folder folder;
    const certificates tls(folder);
    redis_server redis({.password = "se cret", .tls = &tls});
    CHECK(redis.command({"PING"}) == texts{"PONG"});
    const std::string tls_port = std::to_string(redis.tls_port());
    const auto cli = [&](texts words) {
        words.insert(words.begin(), "redis-cli");
        return run_program({.arguments = words});
    };
    CHECK(contains(cli({"-p", std::to_string(redis.port()), "PING"}), "NOAUTH"));
    CHECK(contains(cli({"--tls", "--cacert", tls.ca, "-p", tls_port, "-a", "se cret", "PING"}), "PONG"));

    const std::string users = folder.write("users.acl", "user bob on >hidden ~* &* +@all\n");
    redis_server with_users({.user_commands_file = users});
    CHECK(with_users.command({"AUTH", "bob", "hidden"}) == texts{"OK"});
}

TEST_CASE("a redis that cannot start tells its own words") {
    CHECK(contains(words_of([] { redis_server({.arguments = {"--maxmemory", "plenty"}}); }), "plenty"));
}

TEST_CASE("certificates name the server, and the loopback address only for localhost") {
    const temporary_folder folder;
    const certificates local(folder);
    const temporary_folder other_folder;
    const certificates other(other_folder, "redis.example");
    const auto verify = [](const certificates& which, const std::string& how, const std::string& name) {
        return process({.arguments = {"openssl", "verify", "-CAfile", which.ca, how, name, which.cert}})
                   .wait() == 0;
    };
    CHECK(verify(local, "-verify_hostname", "localhost"));
    CHECK(verify(local, "-verify_ip", "127.0.0.1"));
    CHECK(verify(other, "-verify_hostname", "redis.example"));
    CHECK_FALSE(verify(other, "-verify_hostname", "localhost"));
    CHECK_FALSE(verify(other, "-verify_ip", "127.0.0.1"));
    CHECK(process({.arguments = {"openssl", "verify", "-CAfile", other.ca, local.cert}}).wait() != 0);
}

TEST_CASE("postgres keeps its data over restart, immediate stop and kill") {
    postgres_server postgres;
    sql session(postgres.url());
    session.run("CREATE TABLE note (id int, text text); INSERT INTO note VALUES (1, NULL)");
    postgres.restart();
    CHECK(session.rows("SELECT id, text FROM note WHERE id = $1", {"1"}) == std::vector<texts>{{"1", ""}});
    postgres.stop(true);
    CHECK_THROWS_AS(session.run("SELECT 1"), std::runtime_error);
    postgres.start();
    session.run("INSERT INTO note VALUES (2, 'two')");
    postgres.kill();
    postgres.start();
    CHECK(session.rows("SELECT text FROM note WHERE id = 2") == std::vector<texts>{{"two"}});
}

TEST_CASE("a notification sent by the support reaches a listener, over a restart too") {
    postgres_server postgres({.configuration = {"wal_level = logical"}});
    sql session(postgres.url());
    CHECK(session.rows("SHOW wal_level") == std::vector<texts>{{"logical"}});
    session.run("LISTEN \"Some channel\"");
    session.notify("Some channel", "it's");
    postgres.restart();
    session.notify("Some channel", "again");
    CHECK(contains(words_of([&] { session.run("SELECT 1; SELEC 2"); }), "syntax error"));
    CHECK(contains(words_of([&] { session.rows("SELECT 1/0"); }), "division by zero"));
    CHECK(session.rows("SELECT 1") == std::vector<texts>{{"1"}});
}

TEST_CASE("a paused postgres neither answers nor accepts until it is resumed") {
    postgres_server postgres;
    sql session(postgres.url());
    session.run("SELECT 1");
    postgres.pause();
    auto old_session = std::async(std::launch::async, [&] { session.run("SELECT 1"); });
    auto new_session = std::async(std::launch::async, [&] { sql(postgres.url()).run("SELECT 1"); });
    CHECK(old_session.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout);
    CHECK(new_session.wait_for(std::chrono::milliseconds(0)) == std::future_status::timeout);
    postgres.resume();
    CHECK_NOTHROW(old_session.get());
    CHECK_NOTHROW(new_session.get());
    postgres.pause();
    postgres.stop();
}

TEST_CASE("postgres asks for the password and TLS it was given") {
    const temporary_folder folder;
    const certificates tls(folder);
    postgres_server postgres({.tls = &tls, .password = "pass'word"});
    const std::string secure = "?sslmode=verify-full&sslrootcert=" + tls.ca;
    sql session(postgres.url() + secure);
    CHECK(session.rows("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") ==
          std::vector<texts>{{"t"}});
    const std::string without =
        "postgresql://postgres:wrong@127.0.0.1:" + std::to_string(postgres.port()) + "/postgres";
    CHECK(contains(words_of([&] { sql(without).run("SELECT 1"); }), "password authentication failed"));
}

TEST_CASE("a postgres that cannot start tells its own words") {
    CHECK(contains(words_of([] { postgres_server({.configuration = {"work_mem = plenty"}}); }), "work_mem"));
}

TEST_CASE("no child of this process is left when the servers are gone") {
    std::vector<pid_t> backends;
    {
        postgres_server postgres;
        redis_server redis;
        backends = children_of(children_of(getpid()).front());
        CHECK(children_of(getpid()).size() == 2);
        postgres.pause();
        redis.pause();
    }
    CHECK(children_of(getpid()).empty());
    for (const pid_t each : backends)
        CHECK(eventually([each] { return has_ended(each); }));
}

}  // namespace
}  // namespace postrider::support
