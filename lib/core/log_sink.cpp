#include "core/log_sink.hpp"

#include <spdlog/spdlog.h>

#include <charconv>

#include "core/duration.hpp"
#include "core/log_event.hpp"

namespace postrider::core {

namespace {

constexpr std::size_t most_held = 64 << 10;

// Level, length of the sentence, sentence and fields: all in which lines must agree to be alike.
std::string text_of(const spdlog::details::log_msg& m, const log_parts& parts) {
    std::string text = fmt::format("{} {} ", static_cast<int>(m.level), parts.sentence.size());
    return text.append(parts.sentence).append(parts.fields);
}

struct line_text {
    spdlog::level::level_enum level;
    std::string_view sentence;
    std::string_view fields;
};

line_text line_of(std::string_view text) {
    int level = 0;
    std::size_t length = 0;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, level);
    const auto second = std::from_chars(first.ptr + 1, end, length);
    text.remove_prefix(static_cast<std::size_t>(second.ptr + 1 - text.data()));
    return {static_cast<spdlog::level::level_enum>(level), text.substr(0, length), text.substr(length)};
}

}  // namespace

log_sink::~log_sink() {
    std::vector<log_storm::repeated> counts;
    storm_.end(steady::now(), counts);
    tell(counts);
    write_held();
}

void log_sink::hold() {
    const std::lock_guard lock(mutex_);
    ++holds_;
}

void log_sink::release() {
    const std::lock_guard lock(mutex_);
    if (--holds_ == 0) write_held();
}

void log_sink::sink_it_(const spdlog::details::log_msg& m) {
    if (m.level < spdlog::level::warn) return write(m);
    const auto parts = parts_of(m);
    std::vector<log_storm::repeated> counts;
    const bool through =
        storm_.lets_through(text_of(m, parts), parts.payload.value_or(""), steady::now(), counts);
    tell(counts);
    if (through) write(m);
}

void log_sink::flush_() {
    std::vector<log_storm::repeated> counts;
    storm_.due(steady::now(), counts);
    tell(counts);
}

void log_sink::write(const spdlog::details::log_msg& m) {
    spdlog::memory_buf_t line;
    formatter_->format(m, line);
    const std::string_view text(line.data(), line.size());
    if (holds_ == 0) return write_(text);
    held_.append(text);
    if (held_.size() >= most_held) write_held();
}

void log_sink::write_held() {
    if (!held_.empty()) write_(held_);
    held_.clear();
}

void log_sink::tell(const std::vector<log_storm::repeated>& counts) {
    for (const auto& c : counts) {
        const auto line = line_of(c.text);
        const auto sentence =
            fmt::format("{} … repeated {} in {}", line.sentence,
                        c.times == 1 ? "once" : fmt::format("{} times", c.times), format_duration(c.within));
        const auto all = fmt::format("{}{} repeated={}", sentence, line.fields, c.times);
        write({fields_behind(sentence.size()), "", line.level, all});
    }
}

log_together::log_together() {
    const auto& sinks = spdlog::default_logger_raw()->sinks();
    if (sinks.size() == 1) sink_ = std::dynamic_pointer_cast<log_sink>(sinks.front());
    if (sink_) sink_->hold();
}

log_together::~log_together() {
    if (sink_) sink_->release();
}

}  // namespace postrider::core
