#include "configuration_from_file.hpp"

using namespace postrider;
using namespace postrider::service;
using namespace std::chrono_literals;

TEST_CASE("every setting of the file reaches its place") {
    const scratch_folder folder;
    const auto pem = folder.write("a.pem", "x");
    const auto c = from(
        "[postgres]\nurl = 'postgresql+asyncpg://f/d'\nconnect_timeout = 1\nheartbeat = "
        "'2s'\nheartbeat_timeout = 0.5\nbackoff_first = '300ms'\nbackoff_cap = 7\n"
        "[redis]\nurl = 'rediss://f'\nconnect_timeout = 3\ncommand_timeout = 4\nping_interval = "
        "5\nbackoff_first = '400ms'\n"
        "backoff_cap = 8\nverify = 'none'\n"
        "ca_file = '" +
            pem + "'\ncert_file = '" + pem + "'\nkey_file = '" + pem +
            "'\n"
            "server_name = 'name'\nclient_name = 'me'\n"
            "[http]\naddress = '::1'\nport = 99\nadmin_token = 't'\n[log]\nlevel = 'error'\nformat = 'json'\n"
            "[context]\nttl = '3d'\n",
        {{"BOT_IDS", "b"}});
    CHECK(c.postgres_url == "postgresql://f/d");
    CHECK(c.postgres_connect_timeout == 1s);
    CHECK(c.postgres_heartbeat == 2s);
    CHECK(c.postgres_heartbeat_timeout == 500ms);
    CHECK(c.postgres_backoff_first == 300ms);
    CHECK(c.postgres_backoff_cap == 7s);
    CHECK(c.redis.host == "f");
    CHECK(c.redis.tls);
    CHECK(c.redis.connect_timeout == 3s);
    CHECK(c.redis.command_timeout == 4s);
    CHECK(c.redis.ping_interval == 5s);
    CHECK(c.redis.backoff_first == 400ms);
    CHECK(c.redis.backoff_cap == 8s);
    CHECK(c.redis.verify == redis::verification::none);
    CHECK(c.redis.ca_file == pem);
    CHECK(c.redis.cert_file == pem);
    CHECK(c.redis.key_file == pem);
    CHECK(c.redis.server_name == "name");
    CHECK(c.redis.client_name == "me");
    CHECK(c.http_address == "::1");
    CHECK(c.http_port == 99);
    CHECK(c.admin_token == "t");
    CHECK(c.log_level == "error");
    CHECK(c.log_format == log_format::json);
    CHECK(c.context_ttl == 72h);
    CHECK(c.warnings ==
          std::vector<std::string>{
              "p.toml:2: postgres.url: took '+asyncpg' out of the URL: it names a Python driver"});
}

TEST_CASE("an unknown key or table is an error that names the nearest known one") {
    CHECK(error_of("[redis]\n\nconect_timeout = 1\n") ==
          "p.toml:3: unknown key 'conect_timeout' in [redis], did you mean 'connect_timeout'?");
    CHECK(error_of("[log]\ncolour = 1\n") ==
          "p.toml:2: unknown key 'colour' in [log]; known are level, format");
    CHECK(error_of("[reddis]\nport = 1\n") == "p.toml:1: unknown table [reddis], did you mean 'redis'?");
    CHECK(error_of("[routes]\n") == "p.toml:1: unknown table [routes], did you mean 'route'?");
    CHECK(error_of("[xyz]\n") ==
          "p.toml:1: unknown table [xyz]; known are service, postgres, redis, http, log, context, route");
    CHECK(error_of(group_with("windw = '1s'")) ==
          "p.toml:7: unknown key 'windw' in [[route]], did you mean 'window'?");
    CHECK(error_of(group_with("colour = 1"))
              .starts_with("p.toml:7: unknown key 'colour' in [[route]]; known are name, "));
}

TEST_CASE("a bad value in the file is named with its line") {
    CHECK(error_of("[redis]\nping_interval = 'often'\n") ==
          "p.toml:2: redis.ping_interval=\"often\": not a duration; write for example 15, 15s, 250ms or 2m");
    CHECK(error_of("[http]\nport = -1\n") ==
          "p.toml:2: http.port=\"-1\": not a port; write a number from 0 to 65535");
    CHECK(error_of("[http]\naddress = 'here'\n") ==
          "p.toml:2: http.address=\"here\": not an IP address; write for example 0.0.0.0, 127.0.0.1 or ::");
    CHECK(error_of("[http]\nport = [1]\n") == "p.toml:2: http.port must be a single value");
    const auto words = error_of("[http]\nadmin_token = 's3 cret'\n");
    CHECK(words.starts_with("p.toml:2: http.admin_token: must be"));
    CHECK(words.find("s3") == std::string::npos);
}

TEST_CASE("errors of all tables and routes come at once") {
    const auto words = error_of("[log]\nlevl = 'info'\n" + group_with("window = 0\nmax_events = 0"));
    CHECK(words ==
          "p.toml:2: unknown key 'levl' in [log], did you mean 'level'?\n"
          "p.toml:9: route.window=\"0\": must be longer than 0\n"
          "p.toml:10: route.max_events=\"0\": not a whole number from 1 to 1000000");
}

TEST_CASE("the file's routes replace the built-in ones, and numbers without effect are named") {
    auto v = with("GROUPING_DELAY", "3");
    v["TEST_MODE"] = "true";
    const auto c = from(group_with(""), v);
    CHECK(c.routes.size() == 1);
    CHECK(c.routes[0].grouping.window == 15s);
    CHECK(c.warnings ==
          std::vector<std::string>{
              "no effect of GROUPING_DELAY, TEST_MODE: the routes in p.toml replace the built-in ones"});
    CHECK(from("[http]\nport = 1\n", v).routes[0].grouping.window == 3s);
}
