// The dashboard on screens of several sizes, light and dark.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "servers.hpp"
#include "support/eventually.hpp"
#include "watched.hpp"

namespace postrider::test {
namespace {

using boost::json::value;

struct screen {
    std::string name;
    int width, height;
    bool phone, dark;
};

// What is wrong with the page as it stands there, one line each. Contrast as in WCAG 2, section 1.4.3.
constexpr const char* find_faults = R"js(
const faults = [];
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) faults.push(`overflow: ${root.scrollWidth} > ${root.clientWidth}`);
const blocks = [...document.querySelectorAll(".top, .headline, .panel")].map((e) => [e, e.getBoundingClientRect()]);
for (const [e, r] of blocks) {
  if (r.width < 200 || r.height < 20) faults.push(`${e.id} is not to be seen`);
  if (r.left < 0 || r.right > root.clientWidth) faults.push(`${e.id} stands out`);
  for (const [other, o] of blocks)
    if (e !== other && r.left < o.right && o.left < r.right && r.top < o.bottom && o.top < r.bottom)
      faults.push(`${e.id} lies over ${other.id}`);
}
for (const e of document.querySelectorAll("main p, main dd, main dt, main td, main .scroll, main li, main figcaption, main h2"))
  if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")
    faults.push(`text of ${e.id || e.className || e.tagName} is cut: ${e.textContent}`);
const bars = [...document.querySelectorAll(".bars span")].map((e) => e.getBoundingClientRect());
const range = document.createRange();
document.querySelectorAll(".bars span").forEach((e, i) => {
  range.selectNodeContents(e);
  if (range.getBoundingClientRect().width > bars[i].width) faults.push(`the bar's label ${e.textContent} is too wide`);
});
if (parseFloat(getComputedStyle(document.body).fontSize) < 16) faults.push("small print");
for (const e of document.querySelectorAll("button, input, summary")) {
  const r = e.getBoundingClientRect();
  if (r.width > 0 && r.height < 44) faults.push(`${e.id || e.textContent} is hard to hit`);
}
const parts = (color) => color.match(/[\d.]+/g).map(Number);
const light = (color) => {
  const [r, g, b] = parts(color).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (e) => {
  for (; e; e = e.parentElement) {
    const color = getComputedStyle(e).backgroundColor, p = parts(color);
    if (p.length < 4 || p[3] > 0) return color;
  }
  return "rgb(255, 255, 255)";
};
for (const e of document.querySelectorAll("body *")) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.getClientRects().length === 0) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(1)} of ${e.id || e.className || e.tagName}`);
}
return faults.join("\n");
)js";

std::string faults() {
    return browser().run(find_faults).as_string().c_str();
}

// Kept where POSTRIDER_SCREENSHOTS names a folder.
std::string folder_for_screenshots(const support::temporary_folder& otherwise) {
    const char* wanted = std::getenv("POSTRIDER_SCREENSHOTS");
    return wanted != nullptr ? wanted : otherwise.path();
}

// The width and height that a PNG says of itself.
std::pair<unsigned, unsigned> size_of_png(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string head(24, '\0');
    file.read(head.data(), 24);
    const auto number = [&](std::size_t at) {
        unsigned n = 0;
        for (std::size_t i = 0; i < 4; ++i)
            n = n << 8 | static_cast<unsigned char>(head[at + i]);
        return n;
    };
    return {number(16), number(20)};
}

bool is_dark() {
    return browser().run("return getComputedStyle(document.body).backgroundColor") ==
           value("rgb(16, 21, 27)");
}

const std::vector<screen> all{{"wide", 1440, 900, false, false},     {"wide-dark", 1440, 900, false, true},
                              {"tablet", 820, 1180, true, false},    {"narrow", 390, 844, true, false},
                              {"narrow-dark", 390, 844, true, true}, {"small", 320, 640, true, false}};
const std::vector<screen> two{{"wide-dark", 1440, 900, false, true}, {"narrow", 390, 844, true, false}};

void check_screens(const std::string& what, const std::vector<screen>& screens = all) {
    const support::temporary_folder folder;
    for (const auto& s : screens) {
        CAPTURE(what);
        CAPTURE(s.name);
        browser().screen(s.width, s.height, s.phone);
        browser().dark(s.dark);
        REQUIRE(support::eventually([&] { return is_dark() == s.dark; }));
        browser().run("scrollTo(0, 0)");
        CHECK(faults() == "");
        const auto path = folder_for_screenshots(folder) + "/" + what + "-" + s.name + ".png";
        browser().screenshot(path);
        CHECK(size_of_png(path) ==
              std::pair(static_cast<unsigned>(s.width), static_cast<unsigned>(s.height)));
    }
}

TEST_CASE("wide and narrow screens, light and dark, hold their layout in every state") {
    if (!browser_is_there()) return;
    watched w(watched::variables{{"REDIS_BREAKER_FAILURES", "2"}, {"REDIS_BREAKER_OPEN", "10m"}});
    {
        running_postrider standby(w.settings);
        REQUIRE(standby.becomes("standby"));
        w.opens(standby);
        REQUIRE(w.says("Standing by"));
        check_screens("standby", two);
    }
    w.opens();
    w.database.notify("slow", R"({"k":")" + std::string(500, 'w') + "\"}");
    for (int i = 0; i < 60; ++i)
        w.database.notify("slow",
                          R"({"k":"0f3c9a1e-77b2-4c1d-9e55-)" + std::to_string(100'000'000 + i) + "\"}");
    for (int i = 0; i < 30; ++i)
        w.database.notify("chat", R"({"k":"a","n":)" + std::to_string(i) + "}");
    w.database.notify("chat", std::string(3000, 'x'));
    REQUIRE(browser().shows("#groups-note", "The 50 that leave next."));
    REQUIRE(browser().shows("#letters-taken", "1 since start"));
    REQUIRE(browser().shows("#last-error", "quick"));
    check_screens("busy");
    browser().type("#token", admin_token);
    browser().click("#token-form button");
    REQUIRE(browser().shows("#letter-list", "not_json"));
    browser().click("#letter-list summary");
    check_screens("letters");
    w.redis.command({"CONFIG", "SET", "maxmemory", "1"});
    w.database.notify("chat", R"({"k":"a"})");
    REQUIRE(browser().shows("#breaker", "Open: nothing is sent, since "));
    check_screens("refused", two);
    w.redis.stop();
    REQUIRE(w.says("Redis is away since "));
    check_screens("away");
    w.bridge.kill();
    REQUIRE(w.says("Connection to Postrider lost since "));
    check_screens("lost");
}

}  // namespace
}  // namespace postrider::test
