#include "configuration_from_file.hpp"

using namespace postrider;
using namespace postrider::service;
using namespace std::chrono_literals;

TEST_CASE("a group route takes every key that has a meaning for it") {
    const auto c = from(group_with(
        "id = '/id'\ntime = '/t'\nwindow = '2s'\nwindow_kind = 'sliding'\nmax_wait = '9s'\ncooldown = 0\n"
        "max_events = 3\nmax_bytes = 4\ntarget = 'stream'\nmax_length = 5\ntype = 'mine'\n"
        "fields = { z = '/1', a = '/2' }\ncatch_up = 'SELECT 1'\noverlap = '7s'\nmax_payload_bytes = 8\n"
        "stream_fields = { match = '/m' }"));
    REQUIRE(c.routes.size() == 1);
    const auto& r = c.routes[0];
    CHECK(r.name == "r");
    CHECK(r.channel == "c");
    CHECK(r.policy == event::policy::group);
    CHECK(r.key == "/k");
    CHECK(r.id == "/id");
    CHECK(r.time == "/t");
    CHECK(r.grouping.window == 2s);
    CHECK(r.grouping.kind == event::window_kind::sliding);
    CHECK(r.grouping.max_wait == 9s);
    CHECK(r.grouping.cooldown == 0s);
    CHECK(r.grouping.max_events == 3);
    CHECK(r.grouping.max_bytes == 4);
    CHECK(r.target.kind == event::target_kind::stream);
    CHECK(r.target.name == "l");
    CHECK(r.target.max_length == 5);
    CHECK(r.type == "mine");
    REQUIRE(r.fields.size() == 2);
    CHECK(r.fields[0].name == "z");
    CHECK(r.fields[1].pointer == "/2");
    REQUIRE(r.stream_fields.size() == 1);
    CHECK(r.stream_fields[0].name == "match");
    CHECK(r.stream_fields[0].pointer == "/m");
    CHECK(r.catch_up == "SELECT 1");
    CHECK(r.overlap == 7s);
    CHECK(r.max_payload_bytes == 8);
    CHECK(c.warnings.empty());
}

TEST_CASE("a delay route takes every key that has a meaning for it") {
    const auto c = from(
        delay_with("min_delay = '1s'\nmax_delay = '2s'\ndistribution = 'triangular'\nprobability = "
                   "0.25\ncancel_on = 'o'\n"
                   "cancel_key = '/o'\nparticipants = ['/a', '/b']\nbot_ids = ['x']\ntarget = 'pubsub'"));
    REQUIRE(c.routes.size() == 1);
    const auto& d = c.routes[0].delaying;
    CHECK(c.routes[0].policy == event::policy::delay);
    CHECK(d.min == 1s);
    CHECK(d.max == 2s);
    CHECK(d.spread == event::distribution::triangular);
    CHECK(d.probability == 0.25);
    CHECK(d.cancel_on == "o");
    CHECK(d.cancel_key == "/o");
    CHECK(c.routes[0].participants == std::vector<std::string>{"/a", "/b"});
    CHECK(c.routes[0].bot_ids == std::vector<std::string>{"x"});
    CHECK(c.routes[0].target.kind == event::target_kind::pubsub);
    CHECK(c.warnings ==
          std::vector<std::string>{
              "route 'r': target pubsub keeps nothing; what nobody listens to at that moment is lost"});
}

TEST_CASE("what a route leaves out has a default") {
    const auto group = from(group_with("")).routes[0];
    CHECK(group.type == "grouped");
    CHECK(group.grouping.window == 15s);
    CHECK(group.grouping.max_events == 1'000);
    CHECK(group.target.kind == event::target_kind::list);
    const auto slow = from(group_with("window_kind = 'sliding'\nwindow = '2m'")).routes[0];
    CHECK(slow.grouping.max_wait == 8min);
    const auto delay =
        from(delay_with("max_delay = '1h'\ncancel_on = 'o'\nparticipants = ['/a', '/b']")).routes[0];
    CHECK(delay.type == "initiation");
    CHECK(delay.delaying.min == 0s);
    CHECK(delay.delaying.probability == 1);
    CHECK(delay.delaying.spread == event::distribution::uniform);
    CHECK(delay.delaying.cancel_key == "/k");
    CHECK(delay.bot_ids == std::vector<std::string>{"b1"});
    const auto now = from("[[route]]\nname = 'r'\nchannel = 'c'\npolicy = 'immediate'\nto = 'l'\n").routes[0];
    CHECK(now.policy == event::policy::immediate);
    CHECK(now.key.empty());
    CHECK(now.type.empty());
}

TEST_CASE("a route says what it lacks") {
    CHECK(error_of("\n[[route]]\n") ==
          "p.toml:2: this route has no 'name'; write for example name = \"bot_events\"\n"
          "p.toml:2: this route has no 'channel'; write for example channel = \"bot_events\"\n"
          "p.toml:2: this route has no 'to'; write for example to = \"bot_messages\"\n"
          "p.toml:2: this route has no 'policy'; write for example policy = \"group\"");
    CHECK(error_of("[[route]]\nname = 'r'\nchannel = 'c'\npolicy = 'group'\nto = 'l'\n") ==
          "p.toml:1: route 'r' has no 'key'; write for example key = \"/match_id\"");
    CHECK(error_of(delay_with("")) ==
          "p.toml:1: route 'r' has no 'max_delay'; write for example max_delay = \"6h\"");
}

TEST_CASE("a route's keys must have a meaning with its policy") {
    CHECK(error_of("[[route]]\nname = 'r'\nchannel = 'c'\npolicy = 'immediate'\nto = 'l'\nwindow = '1s'\n") ==
          "p.toml:6: route.window has no meaning with policy = \"immediate\"; leave it out");
    CHECK(error_of(group_with("max_delay = 1")) ==
          "p.toml:7: route.max_delay has no meaning with policy = \"group\"; leave it out");
    CHECK(error_of(delay_with("max_delay = 1\ncooldown = 1")) ==
          "p.toml:8: route.cooldown has no meaning with policy = \"delay\"; leave it out");
}

TEST_CASE("a route's single values are checked") {
    const auto says = [](std::string_view line) { return error_of(group_with(line)); };
    CHECK(says("window = 0") == "p.toml:7: route.window=\"0\": must be longer than 0");
    CHECK(says("window = 'abc'") ==
          "p.toml:7: route.window=\"abc\": not a duration; write for example 15, 15s, 250ms or 2m");
    CHECK(says("window_kind = 'slding'") ==
          "p.toml:7: route.window_kind=\"slding\": not one of fixed, sliding; did you mean 'sliding'?");
    CHECK(says("target = 'queue'") == "p.toml:7: route.target=\"queue\": not one of list, stream, pubsub");
    CHECK(says("max_events = 0") == "p.toml:7: route.max_events=\"0\": not a whole number from 1 to 1000000");
    CHECK(says("max_bytes = 1.5")
              .starts_with("p.toml:7: route.max_bytes=\"1.5\": not a whole number from 1 to "));
    CHECK(says("id = 'id'") ==
          "p.toml:7: route.id=\"id\": not a JSON pointer; write for example /match_id or /user/id");
    CHECK(says("id = '/a~2'") ==
          "p.toml:7: route.id=\"/a~2\": not a JSON pointer; write ~0 for '~' and ~1 for '/' inside a name");
    CHECK(says("fields = { a = 'a' }") ==
          "p.toml:7: route.fields: a=\"a\": not a JSON pointer; write for example /match_id or /user/id");
    CHECK(says("fields = 'a'") == "p.toml:7: route.fields must be a table: { name = \"/pointer\" }");
    CHECK(says("target = 'stream'\nstream_fields = { data = '/a' }") ==
          "p.toml:8: route.stream_fields: the field data is taken: it holds what is pushed");
    CHECK(says("stream_fields = { a = '/a' }") ==
          "p.toml:1: route 'r': stream_fields needs target = \"stream\"");
    CHECK(says("type = \"a\\u0000b\"") == "p.toml:7: route.type=\"a\\x00b\": holds a zero byte");
    const auto delayed = [](std::string_view line) {
        return error_of(delay_with("max_delay = 9\n" + std::string(line)));
    };
    CHECK(delayed("probability = 1.01") ==
          "p.toml:8: route.probability=\"1.01\": not a probability; write a number from 0 to 1, for example "
          "0.5");
    CHECK(delayed("probability = nan").starts_with("p.toml:8: route.probability=\"nan\": not a probability"));
    CHECK(delayed("participants = ['/a']") ==
          "p.toml:8: route.participants: must name two pointers, one for each person");
    CHECK(delayed("participants = '/a'") == "p.toml:8: route.participants must be a list: [\"…\", \"…\"]");
    CHECK(delayed("participants = ['/a', 'b']") ==
          "p.toml:8: route.participants: \"b\": not a JSON pointer; write for example /match_id or /user/id");
    CHECK(delayed("bot_ids = ['']") == "p.toml:8: route.bot_ids: holds an empty id");
}

TEST_CASE("a wrong policy is told once, not with every key that depends on it") {
    CHECK(error_of(
              "[[route]]\nname = 'r'\nchannel = 'c'\npolicy = 'grop'\nkey = '/k'\nto = 'l'\nwindow = 1\n") ==
          "p.toml:4: route.policy=\"grop\": not one of group, delay, immediate; did you mean 'group'?");
}

TEST_CASE("a route's keys must fit together") {
    CHECK(error_of(group_with("catch_up = 'SELECT 1'")) ==
          "p.toml:1: route 'r': catch_up needs an id, to tell the events that were seen already; write for "
          "example "
          "id = \"/id\"");
    CHECK(error_of(group_with("overlap = 1")) == "p.toml:1: route 'r': overlap needs catch_up");
    CHECK(error_of(group_with("max_wait = '1m'")) ==
          "p.toml:1: route 'r': max_wait needs window_kind = \"sliding\"");
    CHECK(error_of(group_with("window_kind = 'sliding'\nwindow = '20s'\nmax_wait = '19s'")) ==
          "p.toml:1: route 'r': max_wait (19 s) is below window (20 s)");
    CHECK(from(group_with("window_kind = 'sliding'\nwindow = '20s'\nmax_wait = '20s'")).routes.size() == 1);
    CHECK(error_of(group_with("max_length = 9")) ==
          "p.toml:1: route 'r': max_length needs target = \"stream\"");
    CHECK(error_of(delay_with("min_delay = '2m'\nmax_delay = '1m'")) ==
          "p.toml:1: route 'r': min_delay (2 min) is above max_delay (1 min)");
    CHECK(from(delay_with("min_delay = '1m'\nmax_delay = '1m'")).routes.size() == 1);
    CHECK(error_of(delay_with("max_delay = 1\ncancel_key = '/x'")) ==
          "p.toml:1: route 'r': cancel_key needs cancel_on");
    CHECK(error_of(delay_with("max_delay = 1\nbot_ids = ['x']")) ==
          "p.toml:1: route 'r': bot_ids needs participants");
    auto v = servers();
    v.erase("BOT_IDS");
    CHECK(error_of(delay_with("max_delay = 1\nparticipants = ['/a', '/b']"), v) ==
          "p.toml:1: route 'r': participants needs bot_ids, or BOT_IDS in the environment");
}

TEST_CASE("a list and a stream may not have one name, and a channel may have either's") {
    const auto to = [](std::string_view name, std::string_view kind) {
        return "[[route]]\nname = '" + std::string(name) +
               "'\nchannel = 'c'\npolicy = 'immediate'\nto = 'l'\n" + "target = '" + std::string(kind) +
               "'\n";
    };
    CHECK(
        error_of(to("a", "list") + to("b", "stream")) ==
        "p.toml:7: route 'b': 'l' cannot be a stream here, because it is the list of route 'a'; give one of "
        "them another 'to'");
    CHECK(
        error_of(to("a", "stream") + to("b", "pubsub") + to("c", "list")) ==
        "p.toml:13: route 'c': 'l' cannot be a list here, because it is the stream of route 'a'; give one of "
        "them another 'to'");
    CHECK(from(to("a", "list") + to("b", "pubsub") + to("c", "list")).routes.size() == 3);
    CHECK(from(to("a", "pubsub") + to("b", "stream") + to("c", "stream")).routes.size() == 3);
}

TEST_CASE("names are unique, short and plain") {
    const auto named = [](std::string_view name, std::string_view channel = "c", std::string_view to = "l") {
        return "[[route]]\nname = '" + std::string(name) + "'\nchannel = '" + std::string(channel) +
               "'\npolicy = 'immediate'\nto = '" + std::string(to) + "'\n";
    };
    CHECK(from(named(std::string(63, 'x'), std::string(63, 'y'))).routes.size() == 1);
    CHECK(from(named("A-z_0.9")).routes.size() == 1);
    CHECK(error_of(named("a b")) == "p.toml:1: the name \"a b\" must be 1 to 63 of A-Z a-z 0-9 _ . -");
    CHECK(error_of(named("")) == "p.toml:1: the name \"\" must be 1 to 63 of A-Z a-z 0-9 _ . -");
    CHECK(error_of(named(std::string(64, 'x'))).find("must be 1 to 63") != std::string::npos);
    CHECK(error_of(named("r", std::string(64, 'y'))) ==
          "p.toml:1: route 'r': the channel must have 1 to 63 bytes, as Postgres has it");
    CHECK(error_of(named("r", "")) ==
          "p.toml:1: route 'r': the channel must have 1 to 63 bytes, as Postgres has it");
    CHECK(error_of(named("r", "c", "")) ==
          "p.toml:1: route 'r': 'to' is empty; name a list, stream or channel in Redis");
    CHECK(error_of(named("r") + named("r", "d")) ==
          "p.toml:6: a route named 'r' stands above already; give each a name of its own");
    CHECK(from(named("r") + named("s")).routes.size() == 2);
}
