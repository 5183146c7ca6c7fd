#include "support/log_capture.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace postrider::test {

log_capture::log_capture() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    auto logger = std::make_shared<spdlog::logger>("test", std::move(sink));
    logger->set_pattern("%l: %v");
    spdlog::set_default_logger(std::move(logger));
}

log_capture::~log_capture() {
    spdlog::set_default_logger(before_);
}

std::size_t log_capture::count(std::string_view words) const {
    const auto all = text();
    std::size_t found = 0;
    for (auto at = all.find(words); at != std::string::npos; at = all.find(words, at + 1))
        ++found;
    return found;
}

}  // namespace postrider::test
