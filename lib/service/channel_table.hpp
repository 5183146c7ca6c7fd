#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postrider::service {

// The channels that are heard, numbered from 0 on, and the routes that each concerns.
class channel_table {
 public:
    struct subscribers {
        std::size_t channel = 0;
        std::string name;
        std::vector<std::size_t> routes;   // that take its events
        std::vector<std::size_t> cancels;  // of which its events cancel what waits
    };

    channel_table() = default;
    channel_table(const channel_table&) = delete;
    channel_table& operator=(const channel_table&) = delete;

    // A channel's, whose number is the next one where it is new. The reference stays good.
    subscribers& add(const std::string& name) {
        const auto [at, is_new] = numbers_.try_emplace(name, all_.size());
        if (is_new) all_.push_back({at->second, name, {}, {}});
        return all_[at->second];
    }
    // Null: it concerns no route.
    const subscribers* find(std::string_view name) const {
        const auto at = numbers_.find(name);
        return at == numbers_.end() ? nullptr : &all_[at->second];
    }
    const subscribers& operator[](std::size_t channel) const { return all_[channel]; }
    std::size_t size() const { return all_.size(); }
    // By their numbers.
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& s : all_)
            names.push_back(s.name);
        return names;
    }

 private:
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
    };

    std::unordered_map<std::string, std::size_t, hash, std::equal_to<>> numbers_;
    std::deque<subscribers> all_;
};

}  // namespace postrider::service
