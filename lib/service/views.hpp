#pragma once

#include "http/view.hpp"
#include "postgres/listener.hpp"
#include "redis/client.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

// The parts that the endpoints look at; all outlive the HTTP server.
struct observed {
    const postgres::listener& source;
    redis::client& redis;
    const service::bridge& bridge;
    const bool& stopping;
};

// What the endpoints show, from held state alone; redis_stats and redis_ping ask the server.
http::view make_view(observed o);

}  // namespace postrider::service
