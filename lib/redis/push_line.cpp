#include "redis/push_line.hpp"

#include <algorithm>
#include <iterator>

namespace postrider::redis {

void push_line::add(delivery&& d) {
    ++accepted_;
    ++waiting_;
    bytes_ += d.body.size();
    line_.push_back(std::move(d));
}

const batch* push_line::next() {
    if (!under_way_.deliveries.empty()) {
        under_way_.sent_before = true;
        return &under_way_;
    }
    if (line_.empty()) return nullptr;
    under_way_.sequence = ++last_sequence_;
    under_way_.asked_again = false;
    under_way_.sent_before = false;
    std::size_t size = 0;
    do {
        size += line_.front().body.size();
        under_way_.deliveries.push_back(std::move(line_.front()));
        line_.pop_front();
    } while (one_by_one_ == 0 && !line_.empty() && under_way_.deliveries.size() < batch_deliveries &&
             size + line_.front().body.size() <= batch_bytes);
    if (one_by_one_ != 0) --one_by_one_;
    return &under_way_;
}

std::vector<delivery> push_line::done() {
    auto all = std::exchange(under_way_.deliveries, {});
    waiting_ -= all.size();
    for (const auto& d : all)
        bytes_ -= d.body.size();
    return all;
}

std::optional<delivery> push_line::refused() {
    if (under_way_.deliveries.size() == 1) return std::move(done().front());
    auto all = std::exchange(under_way_.deliveries, {});
    one_by_one_ = all.size();
    line_.insert(line_.begin(), std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()));
    return std::nullopt;
}

std::vector<delivery> push_line::take_all() {
    auto all = std::exchange(under_way_.deliveries, {});
    all.insert(all.end(), std::make_move_iterator(line_.begin()), std::make_move_iterator(line_.end()));
    line_.clear();
    one_by_one_ = 0;
    waiting_ = 0;
    bytes_ = 0;
    return all;
}

bool push_line::holds(std::string_view saved_as) const {
    const auto same = [&](const delivery& d) { return d.saved_as == saved_as; };
    return std::any_of(line_.begin(), line_.end(), same) ||
           std::any_of(under_way_.deliveries.begin(), under_way_.deliveries.end(), same);
}

bool push_line::forget_saved() {
    if (under_way_.deliveries.size() != 1) return false;
    return !std::exchange(under_way_.deliveries.front().saved_as, {}).empty();
}

}  // namespace postrider::redis
