#pragma once

#include <spdlog/sinks/base_sink.h>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/log_storm.hpp"

namespace postrider::core {

// The one way to the log's output: warnings and errors that storm are folded (log_storm.hpp); all else is
// written as it comes. flush() tells the counts that are due; the end of the sink, all.
class log_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
    using writer = std::function<void(std::string_view)>;

    explicit log_sink(writer write) : write_(std::move(write)) {}
    log_sink(const log_sink&) = delete;
    log_sink& operator=(const log_sink&) = delete;
    ~log_sink() override;

    // From here to release() lines are collected, up to 64 KiB, and written together: a write for each of a
    // thousand groups would cost more than the groups.
    void hold();
    void release();

 protected:
    void sink_it_(const spdlog::details::log_msg& m) override;
    void flush_() override;

 private:
    void write(const spdlog::details::log_msg& m);
    void write_held();
    void tell(const std::vector<log_storm::repeated>& counts);

    writer write_;
    log_storm storm_;
    std::string held_;
    unsigned holds_ = 0;
};

// Collects what is logged as long as it lives, where the default logger writes to a log_sink.
class log_together {
 public:
    log_together();
    log_together(const log_together&) = delete;
    log_together& operator=(const log_together&) = delete;
    ~log_together();

 private:
    std::shared_ptr<log_sink> sink_;
};

}  // namespace postrider::core
