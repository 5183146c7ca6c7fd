#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postrider::event {

// Which events of a route an earlier process has delivered or saved, by their numbers: pure. It answers for
// the numbers up to the highest one known; everything behind that is new.
class taken_over {
 public:
    // Every event up to this number.
    void know_until(std::uint64_t number) {
        until_ = std::max(until_, number);
        know(number);
    }
    // Every event of a key up to this number.
    void know_key(std::string_view key, std::uint64_t number) {
        auto& last = by_key_[std::string(key)];
        last = std::max(last, number);
        know(number);
    }
    // This event alone.
    void know_one(std::uint64_t number) {
        single_.insert(number);
        know(number);
    }

    bool has(std::uint64_t number, const std::string& key) const {
        if (number <= until_ || single_.contains(number)) return true;
        const auto found = by_key_.find(key);
        return found != by_key_.end() && number <= found->second;
    }

    std::uint64_t highest() const { return highest_; }

 private:
    void know(std::uint64_t number) { highest_ = std::max(highest_, number); }

    std::uint64_t until_ = 0;
    std::unordered_map<std::string, std::uint64_t> by_key_;
    std::set<std::uint64_t> single_;
    std::uint64_t highest_ = 0;
};

}  // namespace postrider::event
