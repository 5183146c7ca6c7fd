#pragma once

#include <cstddef>

#include "event/dead_letter.hpp"
#include "service/configuration.hpp"

namespace postrider::service {

enum class letters_verb { list, replay, drop };

// What `postrider dead-letters` was asked for.
struct letters_request {
    letters_verb verb = letters_verb::list;
    event::letter_filter filter;
    bool dry_run = false;  // says what would be done
    bool json = false;
    std::size_t limit = 100;  // of a list; 0: all
};

// Lists, replays or drops the dead letters in Postgres; answers on standard output, words and a progress bar
// on standard error. 0 when all was done; 1 when a server is away, or a letter was refused again.
int dead_letters(const configuration& c, const letters_request& request);

}  // namespace postrider::service
