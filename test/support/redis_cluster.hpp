#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "support/redis_server.hpp"

namespace postrider::support {

// A Redis cluster on loopback: the servers 0, 1 and 2 have a third of the slots each, and the servers 3, 4
// and 5 follow one of them each. Failures throw std::runtime_error.
class redis_cluster {
 public:
    // Returns when every server says that all slots are served and every replica has followed. `password` is
    // asked for by all.
    explicit redis_cluster(const std::string& password = {});

    // redis+cluster://127.0.0.1:a,127.0.0.1:b,127.0.0.1:c, some of the servers, with the password.
    std::string url() const;

    // A server that is silent for so long is held for dead: by default 15 s, so that a busy machine changes
    // nothing. One that is started anew has the default again.
    void set_node_timeout(std::chrono::milliseconds t);

    redis_server& server(std::size_t n) { return servers_[n]; }
    std::string id(std::size_t n) { return servers_[n].command({"CLUSTER", "MYID"}).front(); }
    // The slot of a key, as a server computes it.
    std::uint16_t slot(const std::string& key);
    // The number of the primary of a slot, as a server that runs knows it.
    std::size_t primary_of(std::uint16_t slot);
    redis_server& holder(const std::string& key) { return servers_[primary_of(slot(key))]; }
    // Another primary than this one.
    std::size_t other_primary(std::size_t n);
    // Waits until this slot has another primary than `old`, and that all who run agree; returns its number.
    std::size_t primary_after(std::uint16_t slot, std::size_t old);

    // A reshard in its steps, as redis-cli does it: begin (ASK from here on), move some of the keys, and end.
    void begin_move(std::uint16_t slot, std::size_t from, std::size_t to);
    // Moves up to so many keys; returns how many.
    std::size_t move_keys(std::uint16_t slot, std::size_t from, std::size_t to, std::size_t most);
    // Returns when every server knows the slot's new place.
    void end_move(std::uint16_t slot, std::size_t from, std::size_t to);

 private:
    redis_server& some_running();
    bool agreed();

    std::string password_;
    std::deque<redis_server> servers_;
};

}  // namespace postrider::support
