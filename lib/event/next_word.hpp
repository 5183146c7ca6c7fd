#pragma once

#include <algorithm>
#include <string_view>

namespace postrider::event {

// Takes the text up to the next blank, and the blank, off its front.
inline std::string_view next_word(std::string_view& text) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    return word;
}

}  // namespace postrider::event
