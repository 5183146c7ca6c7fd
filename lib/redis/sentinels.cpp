#include "redis/sentinels.hpp"

#include <algorithm>
#include <utility>

#include "redis/url.hpp"

namespace postrider::redis {

sentinels::sentinels(const asio::any_io_executor& executor, const options& o)
    : options_(o), order_(o.seeds), question_(executor) {}

options sentinels::to(const address& sentinel) const {
    options o = options_;
    o.mode = topology::single;
    o.host = sentinel.host;
    o.port = sentinel.port;
    o.user = options_.sentinel_user;
    o.password = options_.sentinel_password;
    o.database = 0;
    o.must_be_primary = false;
    return o;
}

asio::awaitable<core::result<address>> sentinels::primary() {
    using std::chrono::milliseconds;
    const auto each = std::max(options_.connect_timeout / static_cast<int>(order_.size()), milliseconds(500));
    std::vector<core::failure> why;
    bool unknown = false;
    for (std::size_t i = 0; i < order_.size(); ++i) {
        auto sentinel = to(order_[i]);
        pipeline commands;
        commands.add({"SENTINEL", "get-master-addr-by-name", options_.primary_name});
        const auto answered = co_await question_.ask(std::move(sentinel), std::move(commands), each);
        core::failure f;
        if (answered) {
            auto found = read_primary(answered->front());
            if (found) {
                const auto first = order_.begin();
                const auto knows = first + static_cast<std::ptrdiff_t>(i);
                std::rotate(first, knows, knows + 1);
                co_return found;
            }
            f = found.error();
        } else {
            f = answered.error();
        }
        if (f.code == core::errc::stopped) co_return f;
        unknown = unknown || f.code == core::errc::invalid_input;
        f.message = to_text(order_[i]) + ": " + f.message;
        why.push_back(std::move(f));
    }
    co_return nobody(why, unknown);
}

core::failure sentinels::nobody(const std::vector<core::failure>& why, bool unknown) const {
    if (unknown)
        return {core::errc::invalid_input,
                "the sentinels know no primary named '" + options_.primary_name +
                    "'; mend the name behind the hosts in REDIS_URL: redis+sentinel://host:26379/name/0"};
    const auto refused = std::find_if(
        why.begin(), why.end(), [](const core::failure& f) { return f.code == core::errc::authentication; });
    if (refused != why.end())
        return {core::errc::authentication,
                "a sentinel refuses Postrider: " + refused->message +
                    "; a sentinel's own user and password stand behind the '?' in REDIS_URL, as "
                    "sentinel_user=… and sentinel_password=…"};
    std::string words = "no sentinel answers, of " + std::to_string(why.size()) + " in REDIS_URL";
    for (const auto& f : why)
        words += "; " + f.message;
    return {core::errc::refused, std::move(words)};
}

core::result<address> read_primary(const reply& r) {
    if (r.type == reply::kind::nil)
        return core::failure{core::errc::invalid_input, "the name is unknown there"};
    if (r.is_error()) return core::failure{core::errc::server_error, "it answered: " + r.text};
    if (r.items.size() == 2) {
        const auto port = number(r.items[1].text, 65'535);
        if (port && *port != 0 && is_host(r.items[0].text))
            return address{r.items[0].text, static_cast<std::uint16_t>(*port)};
    }
    return core::failure{core::errc::protocol, "an unknown answer to SENTINEL get-master-addr-by-name"};
}

}  // namespace postrider::redis
