#pragma once

#include "core/error.hpp"
#include "redis/options.hpp"
#include "redis/url.hpp"

namespace postrider::redis {

// The words "the Redis URL is wrong: …" as a failure (invalid_input).
core::failure wrong_url(std::string words);

// What stands between "://" and the '?' of a URL, each for its scheme: one host and a database, a socket's
// path, the sentinels with the primary's name and a database, or some nodes of a cluster.
core::result<void> read_single(const url_parts& parts, options& o);
core::result<void> read_socket(const url_parts& parts, options& o);
core::result<void> read_sentinels(const url_parts& parts, options& o);
core::result<void> read_cluster(const url_parts& parts, options& o);

// A database's number, decimal.
core::result<unsigned> read_database(std::string_view digits);

}  // namespace postrider::redis
