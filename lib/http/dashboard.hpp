#pragma once

#include "http/message.hpp"

namespace postrider::http {

// The page of GET /: everything it needs is inside, and its Content-Security-Policy allows nothing else but
// asking this service.
response make_dashboard();

}  // namespace postrider::http
