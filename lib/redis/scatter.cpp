#include "redis/scatter.hpp"

#include <algorithm>
#include <iterator>

#include "redis/classify.hpp"
#include "redis/url.hpp"

namespace postrider::redis {
namespace {

// A slot that is passed on and on is on the move: later is better.
constexpr unsigned most_hops = 5;

using kind = destination::kind;

}  // namespace

scatter::scatter(pipeline commands) : commands_(std::move(commands)), replies_(commands_.size()) {
    for (std::size_t i = 0; i < commands_.size(); ++i) {
        if (commands_.is_behind(i) && !units_.empty()) {
            ++units_.back().count;
        } else {
            units_.emplace_back();
            units_.back().first = i;
        }
    }
}

std::vector<scatter::part> scatter::next(const slot_map& slots, const std::vector<address>& connected) {
    std::vector<part> parts;
    sent_to_.clear();
    sent_.clear();
    for (std::size_t i = 0; i < units_.size(); ++i) {
        auto& u = units_[i];
        if (!std::exchange(u.waits, false)) continue;
        const auto to = commands_.where(u.first).to;
        if (to == kind::slot) {
            send_to_slot(parts, slots, connected, i);
        } else if (connected.empty()) {
            refuse(u, "no server is connected");
        } else if (to == kind::any) {
            send(parts, connected.front(), i);
        } else {
            for (const auto& server : connected)
                send(parts, server, i);
        }
    }
    return parts;
}

void scatter::send_to_slot(std::vector<part>& parts, const slot_map& slots,
                           const std::vector<address>& connected, std::size_t unit_number) {
    auto& u = units_[unit_number];
    const auto slot = commands_.where(u.first).slot;
    const address* to = u.redirected ? &*u.redirected : slots.primary_of(slot);
    if (to == nullptr) {
        map_is_old_ = true;
        return refuse(u, "no server has the slot " + std::to_string(slot));
    }
    if (std::find(connected.begin(), connected.end(), *to) != connected.end())
        return send(parts, *to, unit_number);
    if (u.redirected) strangers_.push_back(*to);
    refuse(u, "no connection to " + to_text(*to));
}

void scatter::send(std::vector<part>& parts, const address& to, std::size_t unit_number) {
    auto at = static_cast<std::size_t>(std::find(sent_to_.begin(), sent_to_.end(), to) - sent_to_.begin());
    if (at == sent_to_.size()) {
        sent_to_.push_back(to);
        sent_.emplace_back();
        parts.push_back({to, {}});
    }
    const auto& u = units_[unit_number];
    auto& commands = parts[at].commands;
    // ASKING holds for the one command behind it.
    const std::size_t stride = u.asking ? 2 : 1;
    sent_[at].push_back({unit_number, commands.size() + stride - 1, stride});
    for (std::size_t i = 0; i < u.count; ++i) {
        if (u.asking) commands.add({"ASKING"});
        commands.add_encoded(commands_.encoded(u.first + i));
    }
}

void scatter::answered(std::size_t part_number, core::result<std::vector<reply>> replies) {
    slot_places moved;
    for (const auto& [unit_number, at, stride] : sent_[part_number]) {
        auto& u = units_[unit_number];
        if (!replies) {
            map_is_old_ = true;
            refuse(u, replies.error().message);
            continue;
        }
        bool elsewhere = false;
        for (std::size_t i = 0; i < u.count && !elsewhere; ++i)
            elsewhere = redirect(u, (*replies)[at + i * stride], sent_to_[part_number]);
        if (elsewhere && !u.asking) moved[commands_.where(u.first).slot] = u.redirected;
        if (elsewhere || follow(u, moved)) continue;
        const bool join = commands_.where(u.first).to == kind::every && u.answered;
        for (std::size_t i = 0; i < u.count; ++i)
            keep(replies_[u.first + i], std::move((*replies)[at + i * stride]), join);
        u.answered = true;
    }
}

bool scatter::redirect(unit& u, const reply& r, const address& asked) {
    const auto to = redirection(r, asked);
    const auto code = code_of(r);
    map_is_old_ = map_is_old_ || code == "MOVED" || code == "CLUSTERDOWN";
    if (!to || u.hops == most_hops || commands_.where(u.first).to != kind::slot) return false;
    ++u.hops;
    u.redirected = to;
    u.asking = code == "ASK";
    u.waits = true;
    return true;
}

// What stands behind a command that has moved goes after it, or it would be done before it.
bool scatter::follow(unit& u, const slot_places& moved) const {
    const auto& where = commands_.where(u.first);
    const auto to = moved.find(where.slot);
    if (where.to != kind::slot || to == moved.end()) return false;
    u.redirected = to->second;
    u.asking = false;
    u.waits = true;
    return true;
}

void scatter::refuse(unit& u, const std::string& why) {
    reply r;
    r.type = reply::kind::error;
    r.text = "CLUSTERDOWN " + why;
    for (std::size_t i = 0; i < u.count; ++i)
        keep(replies_[u.first + i], r, u.answered);
    u.answered = true;
}

void scatter::keep(reply& place, reply r, bool join) const {
    if (!join || (!place.is_error() && r.is_error())) {
        place = std::move(r);
    } else if (place.type == reply::kind::array && r.type == reply::kind::array) {
        place.items.insert(place.items.end(), std::make_move_iterator(r.items.begin()),
                           std::make_move_iterator(r.items.end()));
    }
}

std::optional<address> redirection(const reply& r, const address& asked) {
    const auto code = code_of(r);
    if (code != "MOVED" && code != "ASK") return std::nullopt;
    const std::string_view text = r.text;
    const auto place = text.substr(text.rfind(' ') + 1);
    const auto colon = place.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = number(place.substr(colon + 1), 65'535);
    const auto host = place.substr(0, colon);
    if (!port || *port == 0 || (!host.empty() && !is_host(host))) return std::nullopt;
    return address{host.empty() ? asked.host : std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace postrider::redis
