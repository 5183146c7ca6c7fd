#pragma once

#include <vector>

#include "core/error.hpp"
#include "redis/address.hpp"
#include "redis/question.hpp"

namespace postrider::redis {

// The sentinels of one primary (https://redis.io/docs/latest/develop/reference/sentinel-clients/).
class sentinels {
 public:
    // `o.seeds` are the sentinels, `o.primary_name` what they call the primary.
    sentinels(const asio::any_io_executor& executor, const options& o);

    // Where the primary is: the sentinels are asked in turn, the one that knew it last first; together they
    // get connect_timeout, each at least half a second. Errors: refused (no sentinel answers), authentication
    // (a sentinel refuses us), invalid_input (none knows the name), stopped (by cancel()). One call at a
    // time.
    asio::awaitable<core::result<address>> primary();

    void cancel() { question_.cancel(); }

 private:
    options to(const address& sentinel) const;
    core::failure nobody(const std::vector<core::failure>& why, bool unknown) const;

    options options_;
    std::vector<address> order_;
    question question_;
};

// The address in a reply to SENTINEL get-master-addr-by-name. Errors: invalid_input (the name is unknown),
// server_error (with the sentinel's words), protocol.
core::result<address> read_primary(const reply& r);

}  // namespace postrider::redis
