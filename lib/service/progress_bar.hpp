#pragma once

#include <cstdint>
#include <string>

namespace postrider::service {

// How far a long command is, on one line of standard error; nothing where that is no terminal, or there is
// little to do.
class progress_bar {
 public:
    progress_bar(std::string what, std::uint64_t total);
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;
    ~progress_bar();

    void advance(std::uint64_t by = 1);

    // "replaying [######------] 120 of 240"
    static std::string line(const std::string& what, std::uint64_t done, std::uint64_t total);

 private:
    std::string what_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    std::uint64_t shown_ = 0;
    bool visible_;
};

}  // namespace postrider::service
