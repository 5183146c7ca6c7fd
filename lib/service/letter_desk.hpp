#pragma once

#include <string>

#include "http/view.hpp"
#include "postgres/dead_letter_box.hpp"
#include "redis/client.hpp"
#include "service/bridge.hpp"
#include "service/configuration.hpp"

namespace postrider::service {

// The dead letters over HTTP: those in Postgres through a connection for each request, or those in memory
// where they are kept there. Nothing of it holds up the events. The parts outlive it.
class letter_desk {
 public:
    letter_desk(const configuration& c, postgres::dead_letter_box& box, service::bridge& b,
                redis::client& redis)
        : configuration_(c), box_(box), bridge_(b), redis_(redis) {}

    asio::awaitable<core::result<http::letter_page>> list(http::letter_query asked);
    asio::awaitable<http::letter_answer> replay(std::string id);
    asio::awaitable<http::letter_answer> drop(std::string id);

 private:
    asio::awaitable<core::result<postgres::connection>> open();
    http::letter_page list_memory(const http::letter_query& asked) const;
    asio::awaitable<http::letter_answer> replay_row(std::int64_t id);
    asio::awaitable<http::letter_answer> replay_from_memory(std::int64_t number);

    const configuration& configuration_;
    postgres::dead_letter_box& box_;
    service::bridge& bridge_;
    redis::client& redis_;
};

}  // namespace postrider::service
