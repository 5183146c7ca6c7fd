#include <fstream>
#include <sstream>

#include "configuration_from_file.hpp"
#include "service/settings.hpp"

using namespace postrider;
using namespace postrider::service;

namespace {

std::string readme() {
    std::ostringstream all;
    all << std::ifstream(POSTRIDER_README).rdbuf();
    return all.str();
}

// Its TOML example, with a certificate that is there.
std::string example(const scratch_folder& folder) {
    const auto text = readme();
    const std::string fence = "```toml\n";
    const auto from = text.find(fence) + fence.size();
    auto toml = text.substr(from, text.find("```", from) - from);
    const std::string ca = "/etc/ssl/certs/cache-ca.pem";
    return toml.replace(toml.find(ca), ca.size(), folder.write("ca.pem", "a certificate"));
}

}  // namespace

TEST_CASE("the README's configuration is taken as it stands there") {
    const scratch_folder folder;
    const auto c = from(example(folder), {});
    REQUIRE(c.routes.size() == 4);
    CHECK(c.routes[0].catch_up.find("WHERE created_at >= $1") != std::string::npos);
    CHECK(c.routes[1].grouping.kind == event::window_kind::sliding);
    CHECK(c.routes[2].delaying.cancel_on == "bot_events");
    CHECK(c.routes[3].policy == event::policy::immediate);
    CHECK(c.redis.tls);
}

TEST_CASE("the README names every environment variable") {
    const auto text = readme();
    for (const auto& s : all_settings()) {
        for (const auto variable : s.variables) {
            CAPTURE(variable);
            if (!variable.empty()) CHECK(text.find("`" + std::string(variable) + "`") != std::string::npos);
        }
    }
}
