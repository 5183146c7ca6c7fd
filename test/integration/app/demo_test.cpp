// deploy/run.sh without servers of one's own: the demo, with the program that is built already.
#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <regex>

#include "support/eventually.hpp"
#include "support/folder.hpp"
#include "support/proc.hpp"
#include "support/process.hpp"

namespace postrider::test {
namespace {

// What a child leaves running becomes a child of this process as long as this lives.
class orphans {
 public:
    orphans() : before_(support::children_of(::getpid())) { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
    orphans(const orphans&) = delete;
    orphans& operator=(const orphans&) = delete;
    ~orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }

    std::size_t running() const {
        const auto now = support::children_of(::getpid());
        return static_cast<std::size_t>(std::count_if(now.begin(), now.end(), [this](pid_t child) {
            const bool known = std::find(before_.begin(), before_.end(), child) != before_.end();
            return !known && !support::has_ended(child);
        }));
    }

 private:
    std::vector<pid_t> before_;
};

support::process::settings demo(std::vector<std::string> arguments) {
    support::process::settings wanted;
    wanted.arguments = {POSTRIDER_SOURCE_FOLDER "/deploy/run.sh"};
    wanted.arguments.insert(wanted.arguments.end(), arguments.begin(), arguments.end());
    wanted.environment = {{"POSTRIDER_SKIP_INSTALL", "1"}, {"POSTRIDER_PROGRAM", POSTRIDER_PROGRAM}};
    // It has to tidy up, whatever becomes of the test.
    wanted.death_signal = SIGTERM;
    return wanted;
}

bool nothing_is_left(const orphans& those) {
    return support::eventually([&] { return those.running() == 0; }, std::chrono::seconds(10));
}

// How often the terminal shows lines of this kind.
long count(const std::string& shown, const std::string& pattern) {
    const std::regex line(pattern);
    return std::distance(std::sregex_iterator(shown.begin(), shown.end(), line), std::sregex_iterator());
}

// The figure behind these words in the summary; -1: there is none.
long figure(const std::string& shown, const std::string& words) {
    std::smatch found;
    if (!std::regex_search(shown, found, std::regex(words + " ([0-9]+)"))) return -1;
    return std::stol(found[1]);
}

TEST_CASE("the demo plays for as long as it was told, loses and doubles nothing, and leaves nothing behind") {
    const orphans left;
    support::process run(demo({"--for", "20s"}));
    const int status = run.wait(std::chrono::seconds(120));
    const auto shown = run.output();
    INFO(shown);
    CHECK(status == 0);
    CHECK(nothing_is_left(left));
    CHECK(shown.find("The times are short for the demo: window 2 s (15 s by default)") != std::string::npos);
    for (const auto* path : {"/health", "/health/readiness", "/stats", "/redis/stats"})
        CHECK(count(shown, std::string(" http://127\\.0\\.0\\.1:[0-9]+") + path + "\\s") == 1);
    CHECK(shown.find("It ends after 20 s.") != std::string::npos);

    const std::string at = "[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]  ";
    const std::string match = "  match [0-9a-f]{8}\n";
    const auto groups = count(shown, at + "[^\n]+ → [^\n]+  [0-9]+ messages?" + match);
    const auto openers = count(shown, at + "[^\n]+ may open: new match with [^\n]+  opener" + match);
    CHECK(groups > 0);
    CHECK(openers > 0);
    CHECK(count(shown, at + "[^\n]+ → [^\n]+  [2-9] messages" + match) > 0);
    CHECK(shown.find("not understood") == std::string::npos);
    CHECK(figure(shown, "groups") == groups);
    CHECK(figure(shown, "initiations") == openers);
    CHECK(figure(shown, "messages written") == count(shown, "            │ "));
    CHECK(figure(shown, "messages delivered") == figure(shown, "messages written"));
    CHECK(figure(shown, "lost") == 0);
    CHECK(figure(shown, "duplicates") == 0);
}

TEST_CASE("Ctrl-C ends the demo in good order, and leaves nothing behind") {
    const orphans left;
    support::process run(demo({}));
    REQUIRE_MESSAGE(run.wait_for_output("Groups as they reach the list", std::chrono::seconds(60)),
                    run.output());
    REQUIRE_MESSAGE(run.wait_for_output("\n", std::chrono::seconds(60), run.output().size()), run.output());
    run.signal(SIGINT);
    const int status = run.wait(std::chrono::seconds(60));
    INFO(run.output());
    CHECK(status == 0);
    CHECK(run.output().find(", lost 0, duplicates 0, ") != std::string::npos);
    CHECK(nothing_is_left(left));
}

// A run of deploy/run.sh with a program that only tells how it was called.
struct called {
    int status = 0;
    std::string output;
};
called run_script(std::vector<std::pair<std::string, std::string>> environment,
                  std::vector<std::string> arguments = {}) {
    const support::temporary_folder folder;
    auto wanted = demo(std::move(arguments));
    wanted.environment = {{"POSTRIDER_SKIP_INSTALL", "1"},
                          {"POSTRIDER_PROGRAM", folder.write("program",
                                                             "#!/bin/sh\necho \"called: $*\"\n"
                                                             "env | grep -E '^(POST|REDIS|GROUP)'\n"
                                                             "exit 7\n")}};
    wanted.environment.insert(wanted.environment.end(), environment.begin(), environment.end());
    std::filesystem::permissions(folder.path() + "/program", std::filesystem::perms::owner_all);
    support::process script(std::move(wanted));
    called c;
    c.status = script.wait();
    c.output = script.output();
    return c;
}

TEST_CASE("with both URLs set, deploy/run.sh becomes the bridge, with the whole environment and its status") {
    const auto c = run_script({{"POSTGRES_URL", "postgresql://bridge@db/chat"},
                               {"REDIS_URL", "redis://cache"},
                               {"GROUPING_DELAY", "3"}});
    INFO(c.output);
    CHECK(c.status == 7);
    CHECK(c.output.starts_with("called: run\n"));
    for (const auto* line : {"\nPOSTGRES_URL=postgresql://bridge@db/chat\n", "\nREDIS_URL=redis://cache\n",
                             "\nGROUPING_DELAY=3\n"})
        CHECK(c.output.find(line) != std::string::npos);
}

TEST_CASE("deploy/run.sh refuses in words what is neither the bridge nor the demo, and starts nothing") {
    struct row {
        std::vector<std::pair<std::string, std::string>> environment;
        std::vector<std::string> arguments;
        std::string words;
    };
    const row rows[] = {
        {{{"POSTGRES_URL", "postgresql://db"}}, {}, "run: only one of POSTGRES_URL and REDIS_URL is set; "},
        {{{"REDIS_URL", "redis://cache"}}, {}, "run: only one of POSTGRES_URL and REDIS_URL is set; "},
        {{{"POSTGRES_URL", "postgresql://db"}, {"REDIS_URL", "redis://cache"}},
         {"--for", "20s"},
         "run: --for is for the demo; "},
        {{}, {"--for", "0s"}, "run: --for takes a duration such as 20s, 2m or 1h."},
        {{}, {"--fro", "20s"}, "run: unknown argument --fro; known is --for DURATION."},
    };
    for (const auto& r : rows) {
        CAPTURE(r.words);
        const auto c = run_script(r.environment, r.arguments);
        CHECK(c.status == 2);
        CHECK_MESSAGE(c.output.starts_with(r.words), c.output);
    }
}

}  // namespace
}  // namespace postrider::test
