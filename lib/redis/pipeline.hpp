#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/destination.hpp"

namespace postrider::redis {

// Commands encoded one behind the other; their replies come in the same order.
class pipeline {
 public:
    void add(std::span<const std::string_view> words);
    void add(std::initializer_list<std::string_view> words);
    // The same, but it goes to where the command before it goes, on the same connection and directly behind
    // it: WAIT, which counts for what this connection wrote.
    void add_behind(std::initializer_list<std::string_view> words);
    // A command that is encoded already, from another pipeline.
    void add_encoded(std::string_view bytes);

    std::size_t size() const { return commands_.size(); }
    bool empty() const { return commands_.empty(); }

    // Of the command number `n`.
    std::string_view encoded(std::size_t n) const;
    const destination& where(std::size_t n) const { return commands_[n].where; }
    bool is_behind(std::size_t n) const { return commands_[n].behind; }

    const std::string& bytes() const { return bytes_; }
    std::string take_bytes() { return std::move(bytes_); }

 private:
    struct command {
        std::size_t end;  // in bytes_
        destination where;
        bool behind;
    };

    void encode(std::span<const std::string_view> words);

    std::string bytes_;
    std::vector<command> commands_;
};

}  // namespace postrider::redis
