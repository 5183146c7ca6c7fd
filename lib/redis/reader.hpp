#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "core/error.hpp"
#include "redis/reply.hpp"

struct redisReader;
struct redisReadTask;

namespace postrider::redis {

// Turns the bytes of a connection into replies, by hiredis' reader. After an error it is of no further use.
class reader {
 public:
    // A reply's bytes beyond `largest_reply` are a protocol error, so a mad server cannot fill the memory.
    explicit reader(std::size_t largest_reply = std::size_t{64} << 20);
    ~reader();
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;

    void feed(std::string_view bytes);

    // The next reply, nothing while it is not complete; errors: protocol.
    core::result<std::optional<reply>> next();

 private:
    struct release {
        void operator()(redisReader* r) const;
    };
    struct builder;

    std::unique_ptr<redisReader, release> hiredis_;
    reply under_way_;
    std::size_t largest_;
    std::size_t unfinished_ = 0;  // bytes fed that belong to no returned reply
};

}  // namespace postrider::redis
