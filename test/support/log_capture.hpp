#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace postrider::test {

// What is said to the log, as long as this lives.
class log_capture {
 public:
    log_capture();
    log_capture(const log_capture&) = delete;
    log_capture& operator=(const log_capture&) = delete;
    ~log_capture();

    std::string text() const { return text_.str(); }
    bool holds(std::string_view words) const { return text().find(words) != std::string::npos; }
    std::size_t count(std::string_view words) const;

 private:
    std::ostringstream text_;
    std::shared_ptr<spdlog::logger> before_;
};

}  // namespace postrider::test
