#include "http/feed.hpp"

namespace postrider::http {

std::shared_ptr<const std::string> feed::at(core::steady::time_point now) {
    if (!newest_ || now >= next()) {
        newest_ = std::make_shared<const std::string>(make_());
        made_at_ = now;
    }
    return newest_;
}

}  // namespace postrider::http
