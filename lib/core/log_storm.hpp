#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"

namespace postrider::core {

// Folds lines that come again and again into one with a count: pure, fed with the time. Alike are lines with
// the same text; the detail in which they may differ is an example. Within 10 s the first line is let
// through, and of those like it the next with another detail than the last, ten altogether; the others are
// counted, and the count comes out when the 10 s are over. While it storms, the next 10 s begin with that.
//
// It knows at most 1,024 texts; the count of the one that began longest ago comes out early when another
// needs its place. So whatever is asked, each line is let through or counted, and each count comes out once.
class log_storm {
 public:
    static constexpr milliseconds span{10'000};
    static constexpr unsigned most_examples = 10;
    static constexpr std::size_t most_texts = 1'024;

    struct repeated {
        std::string text;
        std::uint64_t times = 0;
        milliseconds within{0};
    };

    // Whether this line is to be written; counts that are due are appended to `counts` before that.
    bool lets_through(std::string_view text, std::string_view detail, steady::time_point now,
                      std::vector<repeated>& counts);

    // Appends the counts that are due; to be called at least as often as they are wanted.
    void due(steady::time_point now, std::vector<repeated>& counts);

    // Appends all counts, and forgets everything.
    void end(steady::time_point now, std::vector<repeated>& counts);

    std::size_t texts() const { return by_text_.size(); }

 private:
    struct entry {
        std::string text;
        std::string last;  // detail that was let through
        steady::time_point began{};
        unsigned examples = 1;
        std::uint64_t times = 0;
    };
    using entries = std::list<entry>;

    static void tell(const entry& e, steady::time_point now, std::vector<repeated>& counts);
    void forget(entries::iterator at);

    entries in_order_;  // of `began`
    std::unordered_map<std::string_view, entries::iterator> by_text_;
};

}  // namespace postrider::core
