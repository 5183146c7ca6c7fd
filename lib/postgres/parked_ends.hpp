#pragma once

#include <string>

namespace postrider::postgres {

// Whether the index is there that makes the statement below cheap; an owner who has not applied the schema
// again since it came has none.
extern const char* const has_stretch_index;

// The statement that tells how far what the name $1 has put aside reaches: the numbers of the first and of
// the last event of each stretch, by its place. With the index its costs are those of the number of
// stretches, without they are those of the number of events.
//
// A stretch is what a channel has without a marker, or behind one of its markers ("@@"), see
// event/parked.hpp. What was put in front has stretches by route and mark, because it has not come in the
// order of its numbers.
std::string ends_of_each(bool has_index);

}  // namespace postrider::postgres
