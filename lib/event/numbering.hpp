#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/hearing.hpp"

namespace postrider::event {

// "m 17 n 25": markers hold no blanks. Of text that is nothing of the kind, what can be read.
std::string markers_text(const std::vector<marked_number>& markers);
std::vector<marked_number> read_markers(std::string_view text);

// How what this process has heard on a channel is numbered by a route's leaders, who all go on with the same
// count: pure. Each session is read by the markers that were heard in it, here and there: between two
// sessions nobody knows how much was missed.
class numbering {
 public:
    // Nothing can be numbered.
    numbering() = default;
    // By the markers that the leaders before have saved. If those say nothing of the session that goes on,
    // all that was heard in it is new, and is numbered behind `highest`, the highest number that they are
    // known to have used.
    numbering(const hearing& h, std::size_t channel, const std::vector<marked_number>& saved,
              std::uint64_t highest);

    // The route's number of the event that has this one here. 0: nobody can say, because the leaders know no
    // marker of its session, which is over. Grows from one event to the next, the 0 left out.
    std::uint64_t of(std::uint64_t number) const;
    // The number of the last event before a marker that was heard behind this number; empty: nobody can say.
    std::optional<std::uint64_t> before(std::uint64_t number) const;

    // What this process has heard joins the markers of those before: by number, the latest 64.
    std::vector<marked_number> markers(const hearing& h, std::size_t channel,
                                       const std::vector<marked_number>& saved) const;

    // The markers that are saved of a route are bounded.
    static void add(std::vector<marked_number>& markers, marked_number m);

 private:
    // From the event behind `after` on.
    struct piece {
        std::uint64_t after = 0;
        std::uint64_t number = 0;  // of the event `after`, as if it belonged here
        bool known = false;
    };

    void add_session(std::uint64_t begin, const std::vector<piece>& common, std::uint64_t used);

    std::vector<piece> pieces_;
};

}  // namespace postrider::event
