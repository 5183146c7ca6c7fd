#pragma once

#include <string>

#include "http/metric_page.hpp"
#include "service/views.hpp"

namespace postrider::service {

// The page of GET /metrics, from held state alone; `s` is what /stats shows.
std::string metrics_text(const observed& o, const http::stats& s);

// Adds what Redis refuses for good, by its error code, and what became of the dead letters. A code that Redis
// itself does not give to a push (a proxy's or a module's word) counts under the reason "other".
void add_failures(http::metric_page& page, const http::letter_stats& s);

}  // namespace postrider::service
