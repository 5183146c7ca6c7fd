#include "core/log.hpp"

#include <doctest/doctest.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>

using namespace postrider::core;
using namespace std::chrono_literals;

namespace {

// 2026-11-21T03:02:11.123456Z
constexpr auto moment = std::chrono::system_clock::time_point(1'795'230'131'123'456us);

std::string line(log_format format, spdlog::level::level_enum level, std::string_view message,
                 std::chrono::system_clock::time_point when = moment) {
    spdlog::details::log_msg m(when, spdlog::source_loc{}, "", level,
                               spdlog::string_view_t(message.data(), message.size()));
    spdlog::memory_buf_t out;
    log_formatter(format)->clone()->format(m, out);
    return {out.data(), out.size()};
}

}  // namespace

TEST_CASE("a text line has time, level and message") {
    using enum spdlog::level::level_enum;
    CHECK(line(log_format::text, info, "message") == "2026-11-21T03:02:11.123Z INFO  message\n");
    CHECK(line(log_format::text, trace, "m") == "2026-11-21T03:02:11.123Z TRACE m\n");
    CHECK(line(log_format::text, debug, "m") == "2026-11-21T03:02:11.123Z DEBUG m\n");
    CHECK(line(log_format::text, warn, "m") == "2026-11-21T03:02:11.123Z WARNING m\n");
    CHECK(line(log_format::text, err, "m") == "2026-11-21T03:02:11.123Z ERROR m\n");
    CHECK(line(log_format::text, critical, "m") == "2026-11-21T03:02:11.123Z CRITICAL m\n");
    CHECK(line(log_format::text, info, "m", std::chrono::system_clock::time_point(5ms)) ==
          "1970-01-01T00:00:00.005Z INFO  m\n");
}

TEST_CASE("a JSON line is what Cloud Logging reads") {
    using enum spdlog::level::level_enum;
    CHECK(line(log_format::json, info, "message") ==
          "{\"severity\":\"INFO\",\"time\":\"2026-11-21T03:02:11.123456Z\",\"message\":\"message\"}\n");
    const auto severity = [](spdlog::level::level_enum level) {
        const auto text = line(log_format::json, level, "m");
        return text.substr(13, text.find('"', 13) - 13);
    };
    CHECK(severity(trace) == "DEBUG");
    CHECK(severity(debug) == "DEBUG");
    CHECK(severity(warn) == "WARNING");
    CHECK(severity(err) == "ERROR");
    CHECK(severity(critical) == "CRITICAL");
}

TEST_CASE("one message is one line, whatever is in it") {
    const auto text = line(log_format::text, spdlog::level::info, "a\nb\xFF");
    CHECK(text == "2026-11-21T03:02:11.123Z INFO  a\\nb\xEF\xBF\xBD\n");
    const auto json = line(log_format::json, spdlog::level::info, "a\n\"b\"\xFF");
    CHECK(json.ends_with("\"message\":\"a\\n\\\"b\\\"\xEF\xBF\xBD\"}\n"));
}

TEST_CASE("no password reaches a log line") {
    for (const auto format : {log_format::text, log_format::json}) {
        const auto text = line(format, spdlog::level::info, "at redis://u:s3cret@h, password=s3cret");
        CHECK(text.find("s3cret") == std::string::npos);
        CHECK(text.find("redis://***@h") != std::string::npos);
    }
}

TEST_CASE("levels go by their usual names in any letter case") {
    CHECK(log_level_name("trace") == "trace");
    CHECK(log_level_name("DEBUG") == "debug");
    CHECK(log_level_name("Info") == "info");
    CHECK(log_level_name("warn") == "warning");
    CHECK(log_level_name("WARNING") == "warning");
    CHECK(log_level_name("error") == "error");
    CHECK(log_level_name("critical") == "critical");
    for (const auto* word : {"", "inf", "info ", "warnings", "err", "off", "2"}) {
        CHECK(log_level_name(word) == std::nullopt);
    }
}

TEST_CASE("the default logger takes the level that was asked for") {
    const auto before = spdlog::default_logger();
    configure_log("warning", log_format::text);
    CHECK(spdlog::default_logger()->level() == spdlog::level::warn);
    CHECK_FALSE(spdlog::should_log(spdlog::level::info));
    configure_log("DEBUG", log_format::json);
    CHECK(spdlog::default_logger()->level() == spdlog::level::debug);
    configure_log("nonsense", log_format::text);
    CHECK(spdlog::default_logger()->level() == spdlog::level::info);
    spdlog::set_default_logger(before);
}
