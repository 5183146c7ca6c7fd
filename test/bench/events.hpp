#pragma once

#include <cstdint>
#include <string>

#include "support/sql.hpp"

namespace postrider::bench {

// Events of about 350 bytes, of a thousand conversations. prepare() makes the function that sends them.
void prepare(support::sql& sql);

// Sends the events numbered first to last in one transaction. Their created_at is the text that the SQL
// expression gives, evaluated once, right before they are sent.
void send(support::sql& sql, std::int64_t first, std::int64_t last,
          const std::string& created_at = "'2026-11-21T03:02:11.123456+00:00'");

}  // namespace postrider::bench
