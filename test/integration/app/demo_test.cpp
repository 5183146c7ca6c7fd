// deploy/run.sh without servers of one's own: the demo, with the program that is built already.
#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "support/eventually.hpp"
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

TEST_CASE("the demo plays for as long as it was told, loses and doubles nothing, and leaves nothing behind") {
    const orphans left;
    support::process run(demo({"--for", "4s"}));
    const int status = run.wait(std::chrono::seconds(90));
    INFO(run.output());
    CHECK(status == 0);
    CHECK(run.output().find(", lost 0, duplicates 0, ") != std::string::npos);
    CHECK(run.output().find("messages written 0,") == std::string::npos);
    CHECK(run.output().find("/health/readiness") != std::string::npos);
    CHECK(nothing_is_left(left));
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

}  // namespace
}  // namespace postrider::test
