#include "redis/replication.hpp"

#include <string>

#include "core/duration.hpp"

namespace postrider::redis {
namespace {

// As long as a ledger.
constexpr std::string_view written_ttl = "604800000";

}  // namespace

std::size_t replies_a_push(const options& o) {
    return o.wait_replicas == 0 ? 1 : 3;
}

void append_wait(pipeline& p, const options& o, const target_keys& keys, std::uint64_t sequence) {
    if (o.wait_replicas == 0) return;
    p.add_behind({"SET", keys.written(), std::to_string(sequence), "PX", written_ttl});
    p.add_behind({"WAIT", std::to_string(o.wait_replicas), std::to_string(o.wait_timeout.count())});
}

reply replicated(const options& o, std::span<const reply> replies) {
    const reply& push = replies.front();
    if (o.wait_replicas == 0 || push.is_error()) return push;
    const reply& wait = replies.back();
    if (wait.type == reply::kind::integer && wait.integer >= o.wait_replicas && !replies[1].is_error())
        return push;
    reply r;
    r.type = reply::kind::error;
    r.text = "NOREPLICAS ";
    if (replies[1].is_error() || wait.is_error()) {
        r.text += "WAIT does not work: " + (wait.is_error() ? wait.text : replies[1].text);
    } else {
        r.text += std::to_string(wait.integer) + " of " + std::to_string(o.wait_replicas) +
                  " replicas have it after " + core::format_duration(o.wait_timeout) + " (wait_replicas)";
    }
    return r;
}

}  // namespace postrider::redis
