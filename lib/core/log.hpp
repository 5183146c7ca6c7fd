#pragma once

#include <memory>
#include <optional>
#include <string_view>

namespace spdlog {
class formatter;
}

namespace postrider::core {

enum class log_format {
    text,  // 2026-11-21T03:02:11.123Z INFO  message
    json,  // {"severity":"INFO","time":"2026-11-21T03:02:11.123456Z","message":"message"}
};

// The level's usual name for one of trace, debug, info, warning (also warn), error, critical, whatever the
// letter case; nothing for any other word.
std::optional<std::string_view> log_level_name(std::string_view text);

// Sends spdlog's default logger to standard error, from this level on; an unknown level counts as info.
// Warnings and errors that come again and again are folded, see log_storm.hpp.
void configure_log(std::string_view level, log_format format);

// Tells the counts of folded lines that are due; to be called about once a second.
void tell_storms();
// Tells all of them. Nothing can be logged after that.
void end_log();

// What configure_log formats with. One message is one line: line ends and other control characters are
// escaped, invalid UTF-8 is replaced by U+FFFD, connection strings lose their passwords (see redact.hpp).
// Fields (see log_event.hpp) follow the sentence as name=value, or as members of their own.
// JSON follows https://cloud.google.com/logging/docs/structured-logging; its severities are DEBUG (also for
// trace), INFO, WARNING, ERROR and CRITICAL. Times are UTC.
std::unique_ptr<spdlog::formatter> log_formatter(log_format format);

}  // namespace postrider::core
