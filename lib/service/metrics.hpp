#pragma once

#include <string>

#include "service/views.hpp"

namespace postrider::service {

// The page of GET /metrics, from held state alone; `s` is what /stats shows.
std::string metrics_text(const observed& o, const http::stats& s);

}  // namespace postrider::service
