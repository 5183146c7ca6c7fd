// What the command line says: the very words and the exit status.
#include <doctest/doctest.h>

#include "support/process.hpp"

namespace postrider::test {
namespace {

struct answer {
    int status = 0;
    std::string words;
};

answer ask(std::vector<std::string> arguments) {
    support::process::settings wanted;
    wanted.arguments = {POSTRIDER_PROGRAM};
    wanted.arguments.insert(wanted.arguments.end(), arguments.begin(), arguments.end());
    support::process program(std::move(wanted));
    answer a;
    a.status = program.wait();
    a.words = program.output();
    return a;
}

void refuses(std::vector<std::string> arguments, const std::string& words) {
    const auto a = ask(std::move(arguments));
    CHECK(a.status == 2);
    CHECK(a.words == "postrider: " + words + "; see postrider --help\n");
}

TEST_CASE("a misspelt flag or command is named with the one that was meant") {
    refuses({"--prot", "8080"}, "unknown flag '--prot', did you mean '--port'?");
    refuses({"run", "--postgres-ulr=x"}, "unknown flag '--postgres-ulr', did you mean '--postgres-url'?");
    refuses({"--verbose"}, "unknown flag '--verbose'");
    refuses({"chekc"}, "unexpected argument 'chekc', did you mean 'check'?");
    refuses({"serve"}, "unexpected argument 'serve'");
    refuses({"run", "check"}, "unexpected argument 'check'");
}

TEST_CASE("a port that cannot be, a value that is missing and a flag given twice are told") {
    refuses({"--port", "65536"}, "--port: Value 65536 not in range 0 to 65535");
    refuses({"--port=-1"}, "--port: Value -1 not in range 0 to 65535");
    refuses({"--port", "http"}, "--port: Value http not in range 0 to 65535");
    refuses({"--redis-url"}, "--redis-url: 1 required URL missing");
    refuses({"--port", "1", "--port", "2"}, "--port: At Most 1 required but received 2");
}

TEST_CASE("no secret on the command line is repeated") {
    refuses({"postgresql://app:hunter2@db/chat"}, "unexpected argument 'postgresql://***@db/chat'");
    refuses({"--redis-pasword=hunter2"}, "unknown flag '--redis-pasword'");
    refuses({"--redis-pasword", "hunter2"}, "unknown flag '--redis-pasword'");
    refuses({"-phunter2"}, "unknown flag '-p'");
    const auto wrong =
        ask({"--postgres-url", "postgresql://u:hunter2@h:port/d", "--redis-url", "redis://:hunter2@h:port"});
    CHECK(wrong.status == 2);
    CHECK(wrong.words.find("the port is not a number") != std::string::npos);
    CHECK(wrong.words.find("hunter2") == std::string::npos);
}

TEST_CASE("--version and --help answer with status 0") {
    const auto version = ask({"--version"});
    CHECK(version.status == 0);
    CHECK(version.words == "postrider " POSTRIDER_VERSION "\n");
    const auto help = ask({"--help"});
    CHECK(help.status == 0);
    for (const auto* word :
         {"--config", "--postgres-url", "--redis-url", "--port", "--log-level", "--log-format", "--version",
          "run ", "check ", "health ", "POSTGRES_URL", "REDIS_URL"}) {
        INFO(word);
        CHECK(help.words.find(word) != std::string::npos);
    }
}

}  // namespace
}  // namespace postrider::test
