#include "core/log_storm.hpp"

namespace postrider::core {

bool log_storm::lets_through(std::string_view text, std::string_view detail, steady::time_point now,
                             std::vector<repeated>& counts) {
    due(now, counts);
    const auto known = by_text_.find(text);
    if (known != by_text_.end()) {
        auto& e = *known->second;
        if (e.examples == most_examples || e.last == detail) {
            ++e.times;
            return false;
        }
        ++e.examples;
        e.last = detail;
        return true;
    }
    if (by_text_.size() == most_texts) {
        tell(in_order_.front(), now, counts);
        forget(in_order_.begin());
    }
    auto& e = in_order_.emplace_back();
    e.text = text;
    e.last = detail;
    e.began = now;
    by_text_.emplace(e.text, std::prev(in_order_.end()));
    return true;
}

void log_storm::due(steady::time_point now, std::vector<repeated>& counts) {
    while (!in_order_.empty() && now - in_order_.front().began >= span) {
        const auto at = in_order_.begin();
        if (at->times == 0) {
            forget(at);
            continue;
        }
        tell(*at, now, counts);
        at->times = 0;
        at->began = now;
        in_order_.splice(in_order_.end(), in_order_, at);
    }
}

void log_storm::end(steady::time_point now, std::vector<repeated>& counts) {
    for (const auto& e : in_order_)
        tell(e, now, counts);
    by_text_.clear();
    in_order_.clear();
}

void log_storm::tell(const entry& e, steady::time_point now, std::vector<repeated>& counts) {
    if (e.times == 0) return;
    counts.push_back({e.text, e.times, std::chrono::duration_cast<milliseconds>(now - e.began)});
}

void log_storm::forget(entries::iterator at) {
    by_text_.erase(at->text);
    in_order_.erase(at);
}

}  // namespace postrider::core
