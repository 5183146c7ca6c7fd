#include "core/log_line.hpp"

#include <spdlog/spdlog.h>

namespace postrider::core {

void log_line(spdlog::level::level_enum level, fmt::string_view format, fmt::format_args values) {
    auto& logger = *spdlog::default_logger_raw();
    if (logger.should_log(level)) logger.log(level, fmt::vformat(format, values));
}

}  // namespace postrider::core
