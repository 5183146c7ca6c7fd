#pragma once

#include "service/letters_command.hpp"

namespace CLI {
class App;
}

namespace postrider::app {

// Adds `dead-letters list|replay|drop` to the parser; what they are given goes into `request`, which outlives
// the parsing. Returns the command.
const CLI::App* add_dead_letters(CLI::App& parser, service::letters_request& request);

}  // namespace postrider::app
