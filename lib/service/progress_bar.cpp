#include "service/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace postrider::service {
namespace {

constexpr std::uint64_t worth_showing = 20;
constexpr std::uint64_t width = 40;

}  // namespace

progress_bar::progress_bar(std::string what, std::uint64_t total)
    : what_(std::move(what)),
      total_(total),
      visible_(total >= worth_showing && ::isatty(STDERR_FILENO) == 1) {}

progress_bar::~progress_bar() {
    if (visible_) std::fputs("\r\x1b[K", stderr);
}

std::string progress_bar::line(const std::string& what, std::uint64_t done, std::uint64_t total) {
    const auto part = total == 0 ? width : std::min(done, total) * width / total;
    return fmt::format("{} [{:#<{}}{:-<{}}] {} of {}", what, "", part, "", width - part, done, total);
}

void progress_bar::advance(std::uint64_t by) {
    done_ += by;
    // More often than a hundred times nobody can read.
    if (!visible_ || (done_ - shown_ < total_ / 100 && done_ < total_)) return;
    shown_ = done_;
    fmt::print(stderr, "\r{}\x1b[K", line(what_, done_, total_));
    std::fflush(stderr);
}

}  // namespace postrider::service
