#include "core/log.hpp"

#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <string>

#include "core/log_event.hpp"
#include "core/log_sink.hpp"
#include "core/printable.hpp"
#include "core/redact.hpp"

namespace postrider::core {

namespace {

using spdlog::level::level_enum;

struct level_words {
    std::string_view name;
    std::string_view text;      // filled up to the width of the usual ones
    std::string_view severity;  // Cloud Logging's
};

// In the order of spdlog's levels.
constexpr std::array<level_words, 6> levels{{{"trace", "TRACE", "DEBUG"},
                                             {"debug", "DEBUG", "DEBUG"},
                                             {"info", "INFO ", "INFO"},
                                             {"warning", "WARNING", "WARNING"},
                                             {"error", "ERROR", "ERROR"},
                                             {"critical", "CRITICAL", "CRITICAL"}}};

const level_words& words_of(level_enum level) {
    return levels[std::min<std::size_t>(static_cast<std::size_t>(level), levels.size() - 1)];
}

bool same_word(std::string_view a, std::string_view lower) {
    return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
        return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
    });
}

// The time of a line up to its second: UTC, RFC 3339, without the zone. Lines of one second share it.
class second_text {
 public:
    std::string_view of(std::chrono::system_clock::time_point t) {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
        if (text_.empty() || seconds != seconds_) write(seconds.time_since_epoch().count());
        seconds_ = seconds;
        return text_;
    }

 private:
    void write(std::time_t seconds) {
        std::tm parts{};
        gmtime_r(&seconds, &parts);
        text_ = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                            parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    }

    std::string text_;
    std::chrono::sys_seconds seconds_{};
};

template <class Unit>
auto fraction_of(std::chrono::system_clock::time_point t) {
    return std::chrono::floor<Unit>(t - std::chrono::floor<std::chrono::seconds>(t)).count();
}

class text_line final : public spdlog::formatter {
 public:
    void format(const spdlog::details::log_msg& m, spdlog::memory_buf_t& out) override {
        const auto parts = parts_of(m);
        fmt::format_to(std::back_inserter(out), "{}.{:03}Z {} {}{}", second_.of(m.time),
                       fraction_of<std::chrono::milliseconds>(m.time), words_of(m.level).text,
                       one_line(redact(parts.sentence)), parts.fields);
        if (parts.payload)
            fmt::format_to(std::back_inserter(out), " payload={}", one_line(redact(*parts.payload)));
        out.push_back('\n');
    }
    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<text_line>(); }

 private:
    second_text second_;
};

class json_line final : public spdlog::formatter {
 public:
    void format(const spdlog::details::log_msg& m, spdlog::memory_buf_t& out) override {
        const auto parts = parts_of(m);
        std::string members;
        append_members(members, parts.fields);
        if (parts.payload) members.append(",\"payload\":").append(json_string(redact(*parts.payload)));
        fmt::format_to(std::back_inserter(out),
                       R"({{"severity":"{}","time":"{}.{:06}Z","message":{}{}}})"
                       "\n",
                       words_of(m.level).severity, second_.of(m.time),
                       fraction_of<std::chrono::microseconds>(m.time), json_string(redact(parts.sentence)),
                       members);
    }
    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_line>(); }

 private:
    second_text second_;
};

}  // namespace

std::optional<std::string_view> log_level_name(std::string_view text) {
    if (same_word(text, "warn")) return "warning";
    const auto found =
        std::find_if(levels.begin(), levels.end(), [&](const auto& l) { return same_word(text, l.name); });
    if (found == levels.end()) return std::nullopt;
    return found->name;
}

void configure_log(std::string_view level, log_format format) {
    const auto name = log_level_name(level).value_or("info");
    const auto found =
        std::find_if(levels.begin(), levels.end(), [&](const auto& l) { return l.name == name; });
    auto sink = std::make_shared<log_sink>(
        [](std::string_view lines) { std::fwrite(lines.data(), 1, lines.size(), stderr); });
    auto logger = std::make_shared<spdlog::logger>("postrider", std::move(sink));
    logger->set_formatter(log_formatter(format));
    logger->set_level(static_cast<level_enum>(found - levels.begin()));
    spdlog::set_default_logger(std::move(logger));
}

std::unique_ptr<spdlog::formatter> log_formatter(log_format format) {
    if (format == log_format::json) return std::make_unique<json_line>();
    return std::make_unique<text_line>();
}

void tell_storms() {
    spdlog::default_logger_raw()->flush();
}

void end_log() {
    spdlog::shutdown();
}

}  // namespace postrider::core
