#include "support/process.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <stdexcept>

#include "support/eventually.hpp"
#include "support/folder.hpp"
#include "support/proc.hpp"

namespace postrider::support {
namespace {

process::settings shell(const std::string& script) {
    process::settings wanted;
    wanted.arguments = {"sh", "-c", script};
    return wanted;
}

TEST_CASE("a process gives its exit status and both its outputs in order") {
    process program(shell("echo one; echo two >&2; echo three; exit 7"));
    CHECK(program.wait() == 7);
    CHECK(program.wait() == 7);
    CHECK(program.output() == "one\ntwo\nthree\n");
}

TEST_CASE("a process that a signal ended gives 128 and the signal") {
    process program(shell("echo ready; exec sleep 100"));
    REQUIRE(program.wait_for_output("ready"));
    CHECK_FALSE(program.try_wait().has_value());
    program.signal(SIGTERM);
    CHECK(program.wait() == 128 + SIGTERM);
}

TEST_CASE("waiting for output ends when the process does") {
    process program(shell("echo something; exit 0"));
    CHECK_FALSE(program.wait_for_output("never written", 60s));
    CHECK(program.wait_for_output("some"));
    CHECK_FALSE(program.wait_for_output("some", 60s, 1));
}

TEST_CASE("a process that does not end in time is an error that shows its output") {
    process program(shell("echo stuck; exec sleep 100"));
    REQUIRE(program.wait_for_output("stuck"));
    std::string words;
    try {
        program.wait(0s);
    } catch (const std::runtime_error& error) {
        words = error.what();
    }
    CHECK(words.find("stuck") != std::string::npos);
}

TEST_CASE("a missing program, folder and right to execute are told at once") {
    CHECK_THROWS_AS(process({.arguments = {"no-such-program-at-all"}}), std::runtime_error);
    CHECK_THROWS_AS(process({.arguments = {"/etc/passwd"}}), std::runtime_error);
    process::settings elsewhere = shell("true");
    elsewhere.directory = "/no/such/folder";
    CHECK_THROWS_AS(process(std::move(elsewhere)), std::runtime_error);
}

TEST_CASE("a process sees its own environment and folder, and nothing else of the test's") {
    REQUIRE(setenv("POSTRIDER_TEST_SECRET", "leaked", 1) == 0);
    const temporary_folder folder;
    process::settings wanted =
        shell("echo [$A] [$TZ] [$POSTRIDER_TEST_SECRET] [$PWD]; ls /proc/self/fd | wc -l");
    wanted.environment = {{"A", "b c"}, {"TZ", "Asia/Tokyo"}};
    wanted.directory = folder.path();
    process program(std::move(wanted));
    CHECK(program.wait() == 0);
    // 0, 1, 2 and the one by which ls reads the folder.
    CHECK(program.output() == "[b c] [Asia/Tokyo] [] [" + folder.path() + "]\n4\n");
}

TEST_CASE("an unprivileged process does not run as root") {
    process::settings wanted = shell("id -u");
    wanted.unprivileged = true;
    CHECK(run_program(std::move(wanted)) != "0\n");
}

TEST_CASE("nothing of a process survives its destructor") {
    pid_t child = 0;
    pid_t grandchild = 0;
    {
        process program(shell("sleep 1000 & echo $! started; trap '' TERM; wait"));
        REQUIRE(program.wait_for_output("started"));
        child = program.pid();
        grandchild = std::stoi(program.output());
        CHECK_FALSE(has_ended(grandchild));
    }
    CHECK(kill(child, 0) == -1);
    CHECK(eventually([grandchild] { return has_ended(grandchild); }));
}

TEST_CASE("what a process left running when it ended does not survive the destructor either") {
    pid_t grandchild = 0;
    {
        process program(shell("sleep 1000 & echo $!"));
        CHECK(program.wait() == 0);
        grandchild = std::stoi(program.output());
        CHECK_FALSE(has_ended(grandchild));
    }
    CHECK(eventually([grandchild] { return has_ended(grandchild); }));
}

TEST_CASE("a frozen process stands still until it is woken") {
    process program(shell("trap 'echo heard; exit 3' TERM; echo ready; while :; do sleep 0.01; done"));
    REQUIRE(program.wait_for_output("ready"));
    freeze(program.pid());
    program.signal(SIGTERM);
    CHECK_FALSE(program.try_wait().has_value());
    program.signal(SIGCONT);
    CHECK(program.wait() == 3);
    CHECK(program.output() == "ready\nheard\n");
}

TEST_CASE("a temporary folder is readable by others and gone afterwards") {
    std::string path;
    {
        const temporary_folder folder;
        path = folder.path();
        process::settings wanted;
        wanted.arguments = {"cat", folder.write("note", "hello")};
        wanted.unprivileged = true;
        CHECK(run_program(std::move(wanted)) == "hello");
    }
    CHECK(access(path.c_str(), F_OK) == -1);
}

}  // namespace
}  // namespace postrider::support
