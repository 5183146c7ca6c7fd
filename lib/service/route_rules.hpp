#pragma once

#include <string>
#include <vector>

#include "core/clock.hpp"
#include "event/route.hpp"
#include "service/toml_file.hpp"

namespace postrider::service {

// What must hold between the keys of one route, each of which was read without an error; one sentence for
// each broken rule. `table` says which keys were written.
std::vector<std::string> broken_rules(const event::route& r, const file_table& table);

// What must hold between a route and those above it, likewise.
std::vector<std::string> broken_rules(const event::route& r, const std::vector<event::route>& above);

// The longest time that an event of this route may wait before it leaves.
core::milliseconds longest_wait(const event::route& r);

}  // namespace postrider::service
