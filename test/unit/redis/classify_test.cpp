#include "redis/classify.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace postrider::redis;

namespace {

reply error(std::string text) {
    reply r;
    r.type = reply::kind::error;
    r.text = std::move(text);
    return r;
}

struct row {
    const char* text;
    verdict meaning;
    bool reconnect;
};

// The servers' own words, of Redis 5 to 8.
const std::vector<row> table{
    {"LOADING Redis is loading the dataset in memory", verdict::retry, false},
    {"READONLY You can't write against a read only replica.", verdict::retry, true},
    {"TRYAGAIN Multiple keys request during rehashing of slot", verdict::retry, false},
    {"CLUSTERDOWN Hash slot not served", verdict::retry, false},
    {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", verdict::retry,
     true},
    {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", verdict::retry,
     false},
    {"OOM command not allowed when used memory > 'maxmemory'.", verdict::retry, false},
    {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist on disk.",
     verdict::retry, false},
    {"NOREPLICAS Not enough good replicas to write.", verdict::retry, false},
    {"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
     verdict::retry, true},
    {"ERR max number of clients reached", verdict::retry, false},
    {"MOVED 3999 127.0.0.1:6381", verdict::reroute, false},
    {"ASK 3999 127.0.0.1:6381", verdict::reroute, false},
    {"NOSCRIPT No matching script. Please use EVAL.", verdict::reload, false},
    {"WRONGTYPE Operation against a key holding the wrong kind of value", verdict::permanent, false},
    {"NOPERM this user has no permissions to run the 'rpush' command", verdict::permanent, false},
    {"NOAUTH Authentication required.", verdict::permanent, false},
    {"CROSSSLOT Keys in request don't hash to the same slot", verdict::permanent, false},
    {"BUSYGROUP Consumer Group name already exists", verdict::permanent, false},
    {"BUSYKEY Target key name already exists.", verdict::permanent, false},
    {"ERR unknown command 'FOO'", verdict::permanent, false},
    {"ERR LOADING is only a word here", verdict::permanent, false},
    {"", verdict::permanent, false},
    // Redis 7: an error from within a script keeps its code in front.
    {"OOM command not allowed when used memory > 'maxmemory'. script: 1b2f, on @user_script:1.",
     verdict::retry, false},
    {"WRONGTYPE Operation against a key holding the wrong kind of value script: 1b2f, on @user_script:1.",
     verdict::permanent, false},
    // Redis 6 and 5 wrap it.
    {"ERR Error running script (call to f_1b2f): @user_script:1: @user_script: 1: -OOM command not allowed "
     "when "
     "used memory > 'maxmemory'.",
     verdict::retry, false},
    {"ERR Error running script (call to f_1b2f): @user_script:1: -READONLY You can't write against a read "
     "only "
     "replica.",
     verdict::retry, true},
    {"ERR Error running script (call to f_1b2f): @user_script:1: WRONGTYPE Operation against a key",
     verdict::permanent, false},
    {"ERR Error running script (call to f_1b2f): @user_script:3: user_script:3: attempt to index a nil value",
     verdict::permanent, false},
    {"ERR Error running script (call to f_1b2f): @user_script:1: @user_script: 1: -MISCONF Errors writing to "
     "the "
     "AOF file: No space left on device",
     verdict::retry, false},
    {"NOREPLICAS Not enough good replicas to write. script: 1b2f, on @user_script:1.", verdict::retry, false},
    {"MISCONF Errors writing to the AOF file: No space left on device script: 1b2f, on @user_script:1.",
     verdict::retry, false},
    {"MISCONF Redis is configured to persist data to AOF, but it's currently unable to persist to disk. "
     "Writable "
     "scripts are blocked. Use 'no-writes' flag for read only scripts. AOF error: No space left on device",
     verdict::retry, false},
    {"BUSY Redis is busy running a module command.", verdict::retry, false},
    {"CLUSTERDOWN The cluster is down and only accepts read commands", verdict::retry, false},
    {"ERR max number of clients + cluster connections reached", verdict::retry, false},
    // What a cluster says to a script has no code.
    {"ERR Script attempted to execute a write command while the cluster is down and readonly script: 1b2f, "
     "on "
     "@user_script:1.",
     verdict::retry, false},
    {"ERR Script attempted to execute a command while the cluster is down script: 1b2f, on @user_script:1.",
     verdict::retry, false},
    {"ERR Script attempted to access a non local key in a cluster node script: 1b2f, on @user_script:1.",
     verdict::retry, false},
    {"ERR Script attempted to access a slot not served script: 1b2f, on @user_script:1.", verdict::retry,
     false},
    {"ERR Unable to execute command 'rpush' in script because undeclared keys were accessed during rehashing "
     "of the "
     "slot script: 1b2f, on @user_script:1.",
     verdict::retry, false},
    {"ERR Error running script (call to f_1b2f): @user_script:1: @user_script: 1: Lua script attempted to "
     "execute a "
     "write command while the cluster is down and readonly",
     verdict::retry, false},
    {"ERR Error running script (call to f_1b2f): @user_script:1: @user_script: 1: Lua script attempted to "
     "execute a "
     "command while the cluster is down",
     verdict::retry, false},
    {"ERR Error running script (call to f_1b2f): @user_script:1: @user_script: 1: Lua script attempted to "
     "access a "
     "non local key in a cluster node",
     verdict::retry, false},
    {"ERR Script attempted to access keys that do not hash to the same slot script: 1b2f, on @user_script:1.",
     verdict::permanent, false},
    {"ERR Script attempted to access nonexistent global variable 'x' script: 1b2f, on @user_script:1.",
     verdict::permanent, false},
    {"ERR This Redis command is not allowed from script script: 1b2f, on @user_script:1.", verdict::permanent,
     false},
    // Somebody was tired of waiting, not of this script.
    {"ERR Script killed by user with SCRIPT KILL... script: 1b2f, on @user_script:1.", verdict::retry, false},
    {"ERR Error running script (call to f_1b2f): @user_script:1: Script killed by user with SCRIPT KILL...",
     verdict::retry, false},
};

}  // namespace

TEST_CASE("every error that the servers know has its verdict") {
    for (const row& r : table) {
        CAPTURE(r.text);
        CHECK(classify(error(r.text)) == r.meaning);
        CHECK(wants_reconnect(error(r.text)) == r.reconnect);
    }
}

TEST_CASE("whatever is not an error is delivered, also when it reads like one") {
    for (const auto kind : {reply::kind::nil, reply::kind::string, reply::kind::status, reply::kind::integer,
                            reply::kind::array}) {
        reply r = error("READONLY You can't write against a read only replica.");
        r.type = kind;
        CHECK(classify(r) == verdict::delivered);
        CHECK_FALSE(wants_reconnect(r));
        CHECK(code_of(r).empty());
    }
}

TEST_CASE("an error's code is its first word, the inner one of a script's error") {
    CHECK(code_of(error("NOAUTH Authentication required.")) == "NOAUTH");
    CHECK(code_of(error("ERR")) == "ERR");
    CHECK(code_of(error("ERR Error running script (call to f_1): @user_script:1: -STALE epoch")) == "STALE");
}

TEST_CASE("what a cluster says to a script in words has the code that a command would have got") {
    CHECK(code_of(
              error("ERR Script attempted to execute a write command while the cluster is down and readonly "
                    "script: 1b2f, on @user_script:1.")) == "CLUSTERDOWN");
    CHECK(code_of(
              error("ERR Error running script (call to f_1b2f): @user_script:1: @user_script: 1: Lua script "
                    "attempted to execute a command while the cluster is down")) == "CLUSTERDOWN");
    CHECK(code_of(error("ERR Script attempted to access a non local key in a cluster node script: 1b2f")) ==
          "TRYAGAIN");
    // Not where somebody else says so.
    CHECK(code_of(error("WRONGTYPE Script attempted to execute a command while the cluster is down")) ==
          "WRONGTYPE");
}
