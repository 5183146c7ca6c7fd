#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace postrider::redis {

// Commands encoded one behind the other; their replies come in the same order.
class pipeline {
 public:
    void add(std::span<const std::string_view> words);
    void add(std::initializer_list<std::string_view> words);
    std::size_t size() const { return commands_; }
    bool empty() const { return commands_ == 0; }
    const std::string& bytes() const { return bytes_; }
    std::string take_bytes() { return std::move(bytes_); }

 private:
    std::string bytes_;
    std::size_t commands_ = 0;
};

}  // namespace postrider::redis
