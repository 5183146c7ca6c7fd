// The bridge at its stop while Redis is away: what Redis has not taken is put aside in Postgres.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "event/context.hpp"
#include "event/json_text.hpp"
#include "service/bridge.hpp"

namespace postrider::service {
namespace {

std::uint64_t number_in(const std::string& text) {
    std::uint64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

// The list of messages in what render_group() has made, without its brackets.
std::string_view messages_in(std::string_view body) {
    const auto list = event::find_json(body, "/messages").value_or("[]");
    return list.substr(1, list.size() - 2);
}

// The event in what render_delayed() has made, which ends with it; empty: a field has its name.
std::string_view event_in(std::string_view body) {
    const auto found = event::find_json(body, "/match").value_or("");
    return found.data() + found.size() + 1 == body.data() + body.size() ? found : std::string_view();
}

std::vector<std::uint64_t> numbers_in(const redis::delivery& d) {
    std::vector<std::uint64_t> numbers;
    for (const auto& s : d.seen)
        numbers.push_back(static_cast<std::uint64_t>(s.first));
    return numbers;
}

}  // namespace

std::vector<std::uint64_t> bridge::numbers_of(const std::vector<std::string>& ids) {
    std::vector<std::uint64_t> numbers;
    numbers.reserve(ids.size());
    std::transform(ids.begin(), ids.end(), std::back_inserter(numbers), number_in);
    return numbers;
}

void bridge::settle() {
    settled_ = true;
    if (restored_ && (!pusher_.empty() || pusher_.has_saves())) gather_what_is_left();
    park_again_.notify();
}

// A route that catches up brings its events again by itself.
void bridge::gather_what_is_left() {
    for (const auto& d : pusher_.step_down()) {
        const auto& l = lanes_[d.route];
        if (l.seen) continue;
        if (l.route.policy == event::policy::group)
            put_aside(l, messages_in(d.body), numbers_in(d));
        else
            put_aside(l, l.route.policy == event::policy::delay ? event_in(d.body) : d.body, {d.number});
    }
    for (auto& l : lanes_) {
        std::vector<event::group> groups;
        l.groups.take_all(groups);
        std::vector<event::delayed> delayed;
        l.waiting.take_all(delayed);
        if (l.seen) continue;
        for (const auto& g : groups)
            put_aside(l, g.messages, numbers_of(g.ids));
        for (const auto& d : delayed)
            put_aside(l, d.payload, {d.number});
    }
    parked_.sort_front();
}

// Events without a number stand in Redis since before this process.
void bridge::put_aside(const lane& l, std::string_view messages, const std::vector<std::uint64_t>& numbers) {
    const auto events = event::split_messages(messages);
    for (std::size_t i = 0; i < events.size() && i < numbers.size(); ++i) {
        if (numbers[i] == 0) continue;
        event::parked p;
        p.channel = l.route.channel;
        p.payload = events[i];
        p.numbers.emplace_back(l.route.name, numbers[i]);
        l.add_mark(p);
        parked_.add_in_front(std::move(p));
    }
}

}  // namespace postrider::service
