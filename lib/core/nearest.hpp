#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace postrider::core {

// The known word that was probably meant by a misspelt one, letter case apart: the one with the fewest slips
// (a letter missing, too many, wrong, or two neighbours swapped), the first among equals. Nothing where even
// that one needs more than a third of the word's letters (at least one slip is always forgiven), or where the
// word is longer than 64 bytes.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace postrider::core
