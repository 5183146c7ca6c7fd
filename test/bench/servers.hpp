#pragma once

#include <cstdint>
#include <string>

#include "support/folder.hpp"
#include "support/postgres_server.hpp"
#include "support/process.hpp"
#include "support/redis_server.hpp"

namespace postrider::bench {

struct servers {
    support::postgres_server postgres;
    support::redis_server redis{{.persistent = false}};
    support::temporary_folder folder;
};

// How to start the real program with one route from the channel bot_events to the list bot_messages; `rules`
// is more TOML for that route. It is ready once it says `listening_words`.
support::process::settings program(const servers& s, const std::string& policy, const std::string& rules,
                                   std::uint16_t http_port);
inline constexpr const char* listening_words = "listening at";

}  // namespace postrider::bench
