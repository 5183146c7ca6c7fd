// The pusher's fourth part: large batches, which go to a list without becoming Lua's strings.
#include "redis/pusher.hpp"

namespace postrider::redis {
namespace {

// Below this a script alone costs less than the commands around a transaction.
constexpr std::size_t worth_a_transaction = 32;

}  // namespace

// In a cluster, or with WAIT, the client sends and reads command by command.
bool pusher::may_use_transactions(const track& t, const batch& b) const {
    const auto& o = redis_.settings();
    return !transactions_refused_ && o.mode != topology::cluster && o.wait_replicas == 0 &&
           t.line.target().kind == event::target_kind::list && b.deliveries.size() >= worth_a_transaction;
}

// Whatever it was that kept it from being done, the script finds the same, and is told why.
pusher::outcome pusher::settle_transaction(track& t, std::span<const reply> replies) {
    if (transaction_done(replies)) return settle_push(t, replies.back().items.back());
    ++status_.retries;
    return outcome::again;
}

void pusher::settle_watch(std::size_t line, std::span<const reply> replies) {
    if (watch_holds(replies, lines_[line].epoch)) watched_ = line;
    const auto& end = replies[1];
    if (!end.is_error() || end.text.find("NOPERM") == std::string::npos) return;
    transactions_refused_ = true;
    // A server before 6.2 leaves the connection within a transaction that it may not end.
    if (end.text.starts_with("NOPERM")) redis_.reconnect(end.text);
}

}  // namespace postrider::redis
