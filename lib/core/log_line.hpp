#pragma once

#include <fmt/core.h>
#include <spdlog/common.h>

namespace postrider::core {

// Logs a line at this level, if it is shown. spdlog's own functions would compile the whole of fmt's
// formatting into each file that logs; this one compiles it once.
void log_line(spdlog::level::level_enum level, fmt::string_view format, fmt::format_args values);

template <typename... Values>
void log_debug(fmt::format_string<Values...> format, Values&&... values) {
    log_line(spdlog::level::debug, format, fmt::make_format_args(values...));
}

template <typename... Values>
void log_info(fmt::format_string<Values...> format, Values&&... values) {
    log_line(spdlog::level::info, format, fmt::make_format_args(values...));
}

template <typename... Values>
void log_warning(fmt::format_string<Values...> format, Values&&... values) {
    log_line(spdlog::level::warn, format, fmt::make_format_args(values...));
}

template <typename... Values>
void log_error(fmt::format_string<Values...> format, Values&&... values) {
    log_line(spdlog::level::err, format, fmt::make_format_args(values...));
}

template <typename... Values>
void log_critical(fmt::format_string<Values...> format, Values&&... values) {
    log_line(spdlog::level::critical, format, fmt::make_format_args(values...));
}

}  // namespace postrider::core
