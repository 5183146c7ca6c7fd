#pragma once

#include <string>
#include <string_view>

namespace postrider::postgres {

// The text form of an array of text (PostgreSQL documentation, 8.15.2), made element by element.
class text_array {
 public:
    void add(std::string_view element) {
        text_ += text_.size() > 1 ? ",\"" : "\"";
        for (const char c : element) {
            if (c == '"' || c == '\\') text_ += '\\';
            text_ += c;
        }
        text_ += '"';
    }
    std::string take() { return std::move(text_.append("}")); }

 private:
    std::string text_ = "{";
};

}  // namespace postrider::postgres
