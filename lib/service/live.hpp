#pragma once

#include "http/view.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

// What the dashboard shows beside health and stats; cheap, however much is open.
http::live live_of(const bridge& b, http::breaker breaker);

}  // namespace postrider::service
