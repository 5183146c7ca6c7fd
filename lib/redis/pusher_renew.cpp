// The pusher's fifth part: on a new connection each line raises its epoch before it sends anything else.
#include "redis/classify.hpp"
#include "redis/pusher.hpp"
#include "redis/scripts.hpp"

namespace postrider::redis {
void pusher::renew(std::size_t line, round& r) {
    auto& t = lines_[line];
    r.commands.add({"EVAL", renew_script, "2", t.keys.epoch(), t.keys.renewed(writer_),
                    std::to_string(t.epoch), std::to_string(++t.raises), raised_ttl});
    r.renewals.push_back(line);
}

pusher::outcome pusher::settle_renewal(track& t, const reply& r) {
    switch (classify(r)) {
        case verdict::delivered:
            t.epoch = std::stoull(r.text);
            t.of_generation = known_generation_;
            return outcome::done;
        case verdict::stale:
            return outcome::deposed;
        case verdict::permanent:
            // Who may not raise it may not push either, and for a push there are words.
            t.of_generation = known_generation_;
            return outcome::done;
        case verdict::reload:
        case verdict::reroute:
        case verdict::retry:
            break;
    }
    ++status_.retries;
    renewal_waits(t, r.text);
    if (wants_reconnect(r)) redis_.reconnect(r.text);
    return outcome::again;
}

void pusher::renewal_waits(track& t, const std::string& why) {
    if (t.line.empty()) return save_again_with(t, why);
    t.refusal = why;
    wait_with(t, why);
    push_failed(t, why);
}

}  // namespace postrider::redis
