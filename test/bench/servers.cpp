#include "bench/servers.hpp"

namespace postrider::bench {

support::process::settings program(const servers& s, const std::string& policy, const std::string& rules,
                                   std::uint16_t http_port) {
    const auto file = s.folder.write(
        policy + ".toml", "[[route]]\nname = \"bot_events\"\nchannel = \"bot_events\"\npolicy = \"" + policy +
                              "\"\nto = \"bot_messages\"\n" + rules);
    return {.arguments = {POSTRIDER_PROGRAM, "run", "--config", file},
            .environment = {{"POSTGRES_URL", s.postgres.url()},
                            {"REDIS_URL", s.redis.url()},
                            {"PORT", std::to_string(http_port)},
                            {"LOG_LEVEL", "info"}}};
}

}  // namespace postrider::bench
