#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/clock.hpp"

namespace postrider::http {

// One text for all who listen: the newest, made anew once an interval and only when somebody asks. Nothing is
// queued, so who asks late skips what was in between. Pure: fed with the time.
class feed {
 public:
    feed(std::function<std::string()> make, core::milliseconds interval)
        : make_(std::move(make)), interval_(interval) {}

    // The newest text, never null.
    std::shared_ptr<const std::string> at(core::steady::time_point now);
    // When at() gives another text than the last time.
    core::steady::time_point next() const { return made_at_ + interval_; }

 private:
    std::function<std::string()> make_;
    core::milliseconds interval_;
    std::shared_ptr<const std::string> newest_;
    core::steady::time_point made_at_{};
};

}  // namespace postrider::http
