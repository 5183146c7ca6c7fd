#include "event/stream_fields.hpp"

#include <doctest/doctest.h>

using namespace postrider::event;
using words = std::vector<std::string>;

namespace {

route to_stream(policy p) {
    route r;
    r.name = "r";
    r.policy = p;
    r.target.kind = target_kind::stream;
    r.stream_fields = {{"who", "/user/name"}, {"n", "/n"}, {"none", "/none"}};
    return r;
}

const std::string event_text = R"({"n": 1.50, "user":{"name":"J\u00fcrgen \"J\""}})";
const words expected{"who", "Jürgen \"J\"", "n", "1.50", "none", "null"};

}  // namespace

TEST_CASE("strings as they are, anything else raw, null where there is nothing") {
    CHECK(stream_fields(to_stream(policy::immediate), event_text) == expected);
}

TEST_CASE("of a group the first event counts, of a delayed event the event itself") {
    CHECK(stream_fields(to_stream(policy::group), R"({"type":"grouped","count":2,"messages":[)" + event_text +
                                                      R"(,{"n":2}],"n":3})") == expected);
    CHECK(stream_fields(to_stream(policy::delay),
                        R"({"type":"initiation","n":3,"match":)" + event_text + "}") == expected);
}

TEST_CASE("only streams have fields") {
    auto r = to_stream(policy::immediate);
    r.target.kind = target_kind::list;
    CHECK(stream_fields(r, event_text).empty());
}

TEST_CASE("a dead letter has its route's fields, as long as there is that route") {
    dead_letter l;
    l.route = "r";
    l.target.kind = target_kind::stream;
    l.payload = event_text;
    CHECK(stream_fields({to_stream(policy::immediate)}, l) == expected);
    CHECK(stream_fields(std::vector<route>{}, l).empty());
}
