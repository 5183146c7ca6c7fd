#pragma once

#include <map>
#include <string>
#include <vector>

namespace postrider::test {

// The conversations of a test: each key's messages are numbered from 1 in the order sent.
class chat {
 public:
    chat() = default;
    // Each message is longer by so many bytes.
    explicit chat(std::size_t filler) : filler_(filler) {}

    // The next message of this conversation, as the application sends it:
    // {"id":"k7-12","match_id":"k7","bot_id":"b7","content":"…"}
    std::string next(const std::string& key);

    const std::map<std::string, int>& sent() const { return sent_; }
    std::size_t total() const { return total_; }

    // What is wrong with the deliveries (groups or single messages): lost, twice, out of order, unknown.
    // Empty: every message sent so far is there, once, in order within its conversation.
    std::string verdict(const std::vector<std::string>& deliveries) const;

 private:
    std::map<std::string, int> sent_;
    std::size_t total_ = 0;
    std::size_t filler_ = 0;
};

// The ids ("k7-12") in the deliveries, in their order.
std::vector<std::string> ids_in(const std::vector<std::string>& deliveries);

// How a group of these messages must look on the list of the built-in route.
std::string expected_group(const std::string& key, const std::vector<std::string>& messages);

}  // namespace postrider::test
