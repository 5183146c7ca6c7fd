#include "chat.hpp"

#include <algorithm>
#include <cstdlib>

namespace postrider::test {
namespace {

std::string bot_of(const std::string& key) {
    return "b" + key;
}

// The first ten of them, and how many there are.
class faults {
 public:
    void add(const std::string& words) {
        if (++count_ <= 10) text_ += words + "\n";
    }
    std::string text() const {
        return count_ > 10 ? text_ + "… " + std::to_string(count_) + " faults in all" : text_;
    }

 private:
    std::string text_;
    std::size_t count_ = 0;
};

}  // namespace

std::string chat::next(const std::string& key) {
    const int number = ++sent_[key];
    ++total_;
    const std::string id = key + "-" + std::to_string(number);
    // Odd spacing, an escape and a letter beyond ASCII show that messages leave byte for byte.
    return R"({"id":")" + id + R"(", "match_id":")" + key + R"(","bot_id":")" + bot_of(key) +
           R"(","content":"h\u00e9 ü )" + std::string(static_cast<std::size_t>(number % 7) + filler_, '.') +
           R"("})";
}

std::string chat::verdict(const std::vector<std::string>& deliveries) const {
    faults words;
    std::map<std::string, int> seen;
    for (const std::string& id : ids_in(deliveries)) {
        const auto dash = id.rfind('-');
        const std::string key = id.substr(0, dash);
        const int number = std::atoi(id.c_str() + dash + 1);
        int& last = seen[key];
        if (number <= last)
            words.add(id + " comes after " + std::to_string(last) + " (twice, or out of order)");
        for (int lost = last + 1; lost < number; ++lost)
            words.add(key + "-" + std::to_string(lost) + " is missing before " + id);
        last = std::max(last, number);
    }
    for (const auto& [key, count] : sent_) {
        for (int lost = seen[key] + 1; lost <= count; ++lost)
            words.add(key + "-" + std::to_string(lost) + " is missing at the end");
    }
    for (const auto& [key, last] : seen) {
        const auto known = sent_.find(key);
        if (known == sent_.end() || known->second < last) words.add(key + " was never sent so often");
    }
    return words.text();
}

std::vector<std::string> ids_in(const std::vector<std::string>& deliveries) {
    const std::string mark = R"({"id":")";
    std::vector<std::string> ids;
    for (const std::string& each : deliveries) {
        for (auto at = each.find(mark); at != std::string::npos; at = each.find(mark, at)) {
            at += mark.size();
            ids.push_back(each.substr(at, each.find('"', at) - at));
        }
    }
    return ids;
}

std::string expected_group(const std::string& key, const std::vector<std::string>& messages) {
    std::string joined;
    for (const std::string& each : messages)
        joined += (joined.empty() ? "" : ",") + each;
    return R"({"type":"grouped","count":)" + std::to_string(messages.size()) + R"(,"messages":[)" + joined +
           R"(],"match_id":")" + key + R"(","bot_id":")" + bot_of(key) + R"("})";
}

}  // namespace postrider::test
