#pragma once

#include <string>

#include "core/clock.hpp"

namespace postrider::http {

// ISO 8601 in UTC with milliseconds: "2026-11-21T03:02:11.123Z". Years 0 to 9999.
std::string iso_timestamp(core::wall::time_point t);

// As the Date header wants it (IMF-fixdate, RFC 9110 section 5.6.7): "Sat, 21 Nov 2026 03:02:11 GMT".
std::string date_header(core::wall::time_point t);

}  // namespace postrider::http
