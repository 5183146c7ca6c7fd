// Dead letters on the dashboard, and text that would like to be more than text.
#include <doctest/doctest.h>

#include <algorithm>

#include "servers.hpp"
#include "support/eventually.hpp"
#include "watched.hpp"

namespace postrider::test {
namespace {

using boost::json::value;
using support::eventually;

void enter(const std::string& token) {
    browser().type("#token", token);
    browser().click("#token-form button");
}

bool lists(std::size_t letters) {
    return eventually([&] {
        return browser().run("return document.querySelectorAll('#letter-list > li').length") ==
               value(static_cast<std::int64_t>(letters));
    });
}

std::string letters_left(support::sql& database) {
    return database.rows("SELECT count(*) FROM postrider.dead_letters")[0][0];
}

TEST_CASE("letters are counted by reason for all, and shown, replayed and dropped with the token alone") {
    if (!browser_is_there()) return;
    watched w;
    INFO(w.bridge.end_of_log());
    notify_together(w.database, "chat", {R"({"n":1})", "not JSON"});
    CHECK(browser().shows("#letters-taken", "2 since start"));
    CHECK(browser().shows("#reasons", "not_json: 1"));
    CHECK(browser().shows("#letters-note", "Kept in Postgres."));
    CHECK(lists(0));
    enter("wrong");
    CHECK(browser().shows("#letters-said", "This is not the admin token."));
    CHECK(lists(0));
    enter(admin_token);
    REQUIRE(lists(2));
    CHECK(browser().text("#letter-list li:nth-child(1) pre") == R"({"n":1})");
    CHECK(browser().text("#letter-list li:nth-child(2) .reason") == "not_json · quick");

    w.database.run("UPDATE postrider.dead_letters SET payload = '{\"k\":\"a\"}' WHERE reason <> 'not_json'");
    browser().click("#letter-list li:nth-child(1) button:nth-of-type(1)");
    CHECK(browser().shows("#letters-said", "was replayed."));
    CHECK(lists(1));
    CHECK(wait_for_list(w.redis, "groups", 1).size() == 1);
    // One click too many drops nothing.
    browser().click("#letter-list li button:nth-of-type(2)");
    CHECK(browser().shows("#letter-list li button:nth-of-type(2)", "Drop for good?"));
    CHECK(letters_left(w.database) == "1");
    browser().click("#letter-list li button:nth-of-type(2)");
    CHECK(browser().shows("#letters-said", "was dropped."));
    CHECK(lists(0));
    CHECK(letters_left(w.database) == "0");

    // The token is nowhere but in the page's memory, and goes from there.
    CHECK(browser().run("return document.documentElement.outerHTML.includes(arguments[0]) + "
                        "localStorage.length + sessionStorage.length + document.cookie.length",
                        {admin_token}) == value(0));
    browser().click("#forget");
    w.opens();
    CHECK(w.says("Delivering"));
    CHECK(lists(0));
}

TEST_CASE("markup in payloads, keys and reasons stays text") {
    if (!browser_is_there()) return;
    watched w;
    const std::string script = R"(<script>window.hurt = 1</script><img src=x onerror="window.hurt = 2">)";
    const std::string key = R"(<img src=x onerror=window.hurt=3>)";
    w.database.notify("slow", R"({"k":")" + key + R"("})");
    w.database.notify("chat", script);
    CHECK(browser().shows("#next-due .key", key));
    CHECK(browser().text("#next-due .key") == key);
    CHECK(browser().shows("#letters-taken", "1 since start"));
    enter(admin_token);
    REQUIRE(lists(1));
    browser().click("#letter-list summary");
    CHECK(browser().text("#letter-list pre") == script);
    CHECK(browser().run("return document.querySelectorAll('main img, main script').length") == value(0));
    CHECK(browser().run("return window.hurt === undefined") == value(true));
    // What everybody may read names no payload.
    CHECK(browser().shows("#last-error", "quick"));
    CHECK(browser().text("#last-error").find("hurt") == std::string::npos);
    // Nor had the policy to step in.
    CHECK(browser().errors() == std::vector<std::string>());
}

TEST_CASE("the policy stops a script that is not the page's own") {
    if (!browser_is_there()) return;
    watched w;
    browser().run(
        "const s = document.createElement('script'); s.textContent = 'window.hurt = 4';"
        "document.head.append(s)");
    CHECK(browser().run("return window.hurt === undefined") == value(true));
    const auto errors = browser().errors();
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].find("Content Security Policy") != std::string::npos);
    browser().run("fetch('http://127.0.0.2:9/').catch(() => {})");
    // Nobody listens there, so it must be the policy that has refused it.
    CHECK(eventually([] {
        const auto said = browser().errors();
        return std::any_of(said.begin(), said.end(), [](const std::string& error) {
            return error.find("Content Security Policy directive: \"connect-src 'self'\"") !=
                   std::string::npos;
        });
    }));
}

}  // namespace
}  // namespace postrider::test
