#include "service/parked_events.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/log_line.hpp"
#include "event/unnumbered.hpp"

namespace postrider::service {

parked_events::parked_events(postgres::parking_settings settings)
    : table_(settings, [this] { return leader_; }), finder_(std::move(settings), [] { return 0; }) {}

std::optional<event::parked> parked_events::take_unwritten() {
    if (to_write_.empty()) return std::nullopt;
    std::optional<event::parked> p = std::move(to_write_.front());
    to_write_.pop_front();
    return p;
}

asio::awaitable<core::result<bool>> parked_events::write_some() {
    if (write_failed_) {
        auto ranges = co_await table_.ranges();
        if (!ranges) co_return ranges.error();
        in_table_ += drop_written(*ranges);
        write_failed_ = false;
    }
    if (to_write_.empty() || leader_ == 0) co_return false;
    const auto count = std::min(to_write_.size(), postgres::parking::events_a_statement);
    const auto end = to_write_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<event::parked> some(to_write_.begin(), end);
    const auto term = terms_;
    write_failed_ = true;
    auto written = co_await table_.write(std::move(some));
    if (term != terms_) co_return true;
    if (!written) co_return written.error();
    write_failed_ = false;
    if (!*written) co_return false;
    for (std::size_t i = 0; i < count; ++i)
        to_write_.pop_front();
    in_table_ += count;
    error_.clear();
    co_return true;
}

// Returns how many of what waits to be written are in the table already.
std::size_t parked_events::drop_written(const std::vector<event::parked_range>& ranges) {
    return std::erase_if(to_write_, [&](const event::parked& p) {
        return std::any_of(p.numbers.begin(), p.numbers.end(), [&](const auto& n) {
            // Of one without a number nobody knows.
            const auto* range = event::range_of(ranges, n.first);
            return range != nullptr && n.second != 0 && n.second <= range->last;
        });
    });
}

asio::awaitable<core::result<std::vector<event::parked>>> parked_events::read_some() {
    has_new_numbers_ = false;
    return table_.read(taken_, postgres::parking::events_a_statement);
}

void parked_events::took(const std::vector<event::parked>& events) {
    error_.clear();
    if (events.empty()) return;
    taken_ = events.back().id;
    in_table_ -= std::min<std::uint64_t>(in_table_, events.size());
}

void parked_events::mark(bool is_reached) {
    if (is_reached) done_ = marked_;
    marked_ = taken_;
}

asio::awaitable<core::result<void>> parked_events::delete_done() {
    if (done_ == deleted_) co_return boost::system::in_place_value;
    const auto term = terms_;
    const auto id = done_;
    auto deleted = co_await table_.forget(id);
    if (!deleted) co_return deleted.error();
    if (term == terms_) deleted_ = id;
    co_return boost::system::in_place_value;
}

asio::awaitable<core::result<std::vector<event::parked_range>>> parked_events::find() {
    found_.reset();
    auto work = look();
    const bool ended = co_await finding_.run(std::move(work));
    finder_.close();
    if (!ended) co_return core::failure{core::errc::stopped, "nobody looks for events that were put aside"};
    co_return std::move(*found_);
}

asio::awaitable<void> parked_events::look() {
    auto found = co_await finder_.ranges();
    found_.emplace(std::move(found));
}

void parked_events::take_over(std::vector<event::parked_range> ranges) {
    set_before(std::move(ranges));
    is_parking_ = !before_.empty() || !to_write_.empty();
}

void parked_events::stand_behind(std::vector<event::parked_range> ranges) {
    in_table_ += drop_written(ranges);
    write_failed_ = false;
    set_before(std::move(ranges));
}

void parked_events::set_before(std::vector<event::parked_range> ranges) {
    before_ = std::move(ranges);
    for (const auto& p : to_write_)
        event::widen(before_, p, p);
}

void parked_events::number_before(std::string_view route, const std::vector<event::marked_number>& markers) {
    event::widen_by_markers(before_, route, markers);
}

// A write that is under way is of what is no longer here.
void parked_events::forget() {
    ++terms_;
    to_write_.clear();
    write_failed_ = false;
    forget_written();
}

void parked_events::forget_written() {
    before_.clear();
    is_parking_ = false;
    has_new_numbers_ = false;
    in_table_ = 0;
    taken_ = marked_ = done_ = deleted_ = event::parked::no_id;
}

void parked_events::sort_front() {
    // What has no number was heard behind all that has one.
    const auto place = [](const event::parked& p) { return p.numbers.front().second - 1; };
    std::stable_sort(in_front_.begin(), in_front_.end(),
                     [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

// The newest first, so that what a deadline cuts off is no hole in the middle.
asio::awaitable<core::result<bool>> parked_events::put_back() {
    if (in_front_.empty() || leader_ == 0) co_return false;
    // What was taken from the table stands there until it is delivered; and the last write may have been
    // done.
    auto ranges = co_await table_.ranges();
    if (!ranges) co_return ranges.error();
    std::erase_if(in_front_, [&](const event::parked& p) {
        const auto& [route, number] = p.numbers.front();
        const auto* range = event::range_of(*ranges, route);
        return range != nullptr && range->holds(number);
    });
    while (!in_front_.empty()) {
        // More may come in front meanwhile.
        const auto count = std::min(in_front_.size(), postgres::parking::events_a_statement);
        const auto begin = in_front_.end() - static_cast<std::ptrdiff_t>(count);
        putting_.assign(std::make_move_iterator(begin), std::make_move_iterator(in_front_.end()));
        in_front_.erase(begin, in_front_.end());
        auto some = putting_;
        auto written = co_await table_.put_back(std::move(some));
        auto put = std::exchange(putting_, {});
        if (written && *written) continue;
        in_front_.insert(in_front_.end(), std::make_move_iterator(put.begin()),
                         std::make_move_iterator(put.end()));
        if (!written) co_return written.error();
        co_return false;
    }
    co_return true;
}

void parked_events::tell(const core::failure& why) {
    if (error_ != why.message)
        core::log_error("postgres: events cannot be put aside or taken back yet: {}", why.message);
    error_ = why.message;
}

}  // namespace postrider::service
