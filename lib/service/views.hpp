#pragma once

#include "http/server.hpp"
#include "http/view.hpp"
#include "net/loop_lag.hpp"
#include "postgres/dead_letter_box.hpp"
#include "postgres/listener.hpp"
#include "redis/cache.hpp"
#include "redis/client.hpp"
#include "service/bridge.hpp"
#include "service/letter_desk.hpp"

namespace postrider::service {

// The parts that the endpoints look at; all live as long as the HTTP server, which is one of them.
struct observed {
    const postgres::listener& source;
    redis::client& redis;
    const service::bridge& bridge;
    const postgres::dead_letter_box& letters;
    letter_desk& desk;
    redis::cache& cache;
    const net::loop_lag& lag;
    const http::server& server;
    const std::string& admin_token;
    const bool& stopping;
};

// What the endpoints show, from held state alone; redis_stats and redis_ping ask the server.
http::view make_view(observed o);

}  // namespace postrider::service
