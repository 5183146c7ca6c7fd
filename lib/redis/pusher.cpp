#include "redis/pusher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/uuid/detail/sha1.hpp>
#include <iterator>

#include "redis/classify.hpp"
#include "redis/replication.hpp"
#include "redis/scripts.hpp"

namespace postrider::redis {
namespace {

using core::steady;

constexpr core::milliseconds first_retry{100};
constexpr core::milliseconds longest_retry{5'000};

// Not OpenSSL's, which loads 2 MB of itself for its first digest.
std::string sha1(std::string_view text) {
    boost::uuids::detail::sha1 hash;
    hash.process_bytes(text.data(), text.size());
    boost::uuids::detail::sha1::digest_type digest;
    hash.get_digest(digest);
    std::string hex;
    // Words up to Boost 1.85, bytes from 1.86 on.
    for (const auto part : digest)
        hex += fmt::format("{:0{}x}", part, 2 * sizeof part);
    return hex;
}

// It is open for four times the first time at the longest, so that recovery waits no longer than that.
core::breaker::thresholds thresholds_of(const options& o) {
    core::breaker::thresholds t;
    t.failures = o.breaker_failures;
    t.window = o.breaker_window;
    t.open = o.breaker_open;
    t.longest_open = 4 * o.breaker_open;
    return t;
}

}  // namespace

pusher::pusher(const asio::any_io_executor& executor, client& redis, saver_settings saves, pusher_sink sink,
               std::string writer, std::string bridge)
    : redis_(redis),
      saver_settings_(std::move(saves)),
      sink_(std::move(sink)),
      writer_(std::move(writer)),
      bridge_(std::move(bridge)),
      work_(executor),
      push_sha_(sha1(push_script)),
      save_sha_(sha1(save_script)) {
    redis_.on_connect([this] { try_anew(); });
}

std::size_t pusher::line_to(const event::target& to) {
    const auto same = std::find_if(lines_.begin(), lines_.end(), [&](const track& t) {
        return t.line.target().kind == to.kind && t.line.target().name == to.name;
    });
    if (same != lines_.end()) return static_cast<std::size_t>(same - lines_.begin());
    const auto line = lines_.size();
    const auto seed = std::hash<std::string>{}(writer_) + line;
    const target_keys keys(to, bridge_, redis_.settings().mode == topology::cluster);
    lines_.push_back(track{push_line(to), keys,
                           saver(saver_settings_.groups_of(line), saver_settings_.route_names,
                                 saver_settings_.context_ttl, keys),
                           core::backoff(first_retry, longest_retry, seed),
                           core::breaker(thresholds_of(redis_.settings()))});
    return line;
}

void pusher::add(std::size_t line, delivery&& d) {
    ++status_.accepted;
    const bool was_empty = lines_[line].line.empty();
    lines_[line].line.add(std::move(d));
    if (was_empty) work_.notify();
}

void pusher::saves_changed(std::size_t line) {
    auto& t = lines_[line];
    if (t.flush_at != steady::time_point::max()) return;
    t.flush_at = steady::now() + saver_settings_.linger;
    work_.notify();
}

asio::awaitable<core::result<bool>> pusher::claim() {
    pipeline p;
    for (auto& t : lines_)
        p.add({"EVAL", claim_script, "2", t.keys.epoch(), t.keys.renewed(writer_), std::to_string(t.epoch),
               std::to_string(++t.raises), raised_ttl});
    const auto generation = redis_.generation();
    const auto answered = co_await redis_.execute(std::move(p));
    if (!answered) co_return answered.error();
    bool kept = true;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const auto& r = (*answered)[i];
        if (r.is_error()) co_return core::failure{core::errc::server_error, r.text};
        if (r.items.size() != 2)
            co_return core::failure{core::errc::protocol, "an unknown answer to a claim"};
        // What was raised meanwhile is later, in a cluster also where its answer came first.
        lines_[i].epoch = std::max<std::uint64_t>(lines_[i].epoch, std::stoull(r.items[0].text));
        if (r.items[1].integer != 1) lines_[i].of_generation = generation;
        kept = kept && r.items[1].integer == 1;
    }
    co_return kept;
}

void pusher::lead() {
    leading_ = true;
    ++term_;
    work_.notify();
}

std::vector<delivery> pusher::step_down() {
    std::vector<delivery> left;
    leading_ = false;
    ++term_;
    for (auto& t : lines_) {
        status_.finished += t.line.waiting();
        auto all = t.line.take_all();
        left.insert(left.end(), std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()));
        t.saves.clear();
        t.flush_at = steady::time_point::max();
        t.retry_at = {};
        t.waits = t.save_waits = false;
        t.refusal.clear();
        t.breaker.reset(steady::now());
    }
    status_.save_error.clear();
    work_.notify();
    return left;
}

void pusher::finish() {
    // A stop has no time to wait for a breaker: one last trial.
    if (!finishing_)
        for (auto& t : lines_)
            t.breaker.try_now(steady::now());
    finishing_ = true;
    work_.notify();
}

void pusher::stop() {
    stopping_ = true;
    finish();
}

bool pusher::empty() const {
    return std::all_of(lines_.begin(), lines_.end(), [](const track& t) { return t.line.empty(); });
}

bool pusher::has_saves() const {
    return std::any_of(lines_.begin(), lines_.end(), [](const track& t) { return t.saves.has_unsaved(); });
}

steady::time_point pusher::saved_until(steady::time_point now) const {
    auto earliest = now;
    for (const auto& t : lines_)
        earliest = std::min(earliest, t.saves.saved_until(now));
    return earliest;
}

std::size_t pusher::waiting() const {
    std::size_t sum = 0;
    for (const auto& t : lines_)
        sum += t.line.waiting();
    return sum;
}

std::size_t pusher::waiting_bytes() const {
    std::size_t sum = 0;
    for (const auto& t : lines_)
        sum += t.line.waiting_bytes();
    return sum;
}

std::string pusher::ledger(std::size_t line) const {
    return lines_[line].keys.ledger(writer_);
}

bool pusher::finished() const {
    return stopping_ || (finishing_ && (!leading_ || (empty() && !has_saves())));
}

asio::awaitable<void> pusher::run() {
    for (;;) {
        co_await wait_for_work();
        if (finished()) co_return;
        if (!redis_.connected()) {
            const bool connected = co_await redis_.wait_connected();
            if (!connected) co_return;
            continue;
        }
        auto r = next_round();
        auto commands = std::move(r.commands);
        if (commands.empty()) continue;
        const auto term = term_;
        const auto asked = steady::now();
        const auto answered = co_await redis_.execute(std::move(commands));
        if (answered) status_.latency.add(core::seconds_between(asked, steady::now()));
        if (term != term_) continue;
        if (answered)
            settle(r, *answered);
        else
            no_answer(r, answered.error().message);
    }
}

// When a line has something to send; never: it has nothing.
steady::time_point pusher::due(const track& t) const {
    // With a breaker that is not closed the batch that failed still stands in the line.
    if (!t.line.empty()) return std::max(t.retry_at, t.breaker.until());
    if (finishing_ && t.saves.has_work()) return t.retry_at;
    if (t.flush_at == steady::time_point::max()) return t.flush_at;
    return std::max(t.flush_at, t.retry_at);
}

asio::awaitable<void> pusher::wait_for_work() {
    while (!finished()) {
        auto soonest = steady::time_point::max();
        if (leading_)
            for (const auto& t : lines_)
                soonest = std::min(soonest, due(t));
        if (soonest <= steady::now()) co_return;
        co_await work_.wait_until(soonest);
    }
}

pusher::round pusher::next_round() {
    round r;
    if (known_generation_ != redis_.generation()) {
        known_generation_ = redis_.generation();
        scripts_loaded_ = false;
        watched_.reset();
        sink_.server_changed();
    }
    if (!scripts_loaded_) load_scripts(r);
    const auto now = steady::now();
    std::vector<std::size_t> to_save;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        auto& t = lines_[i];
        if (t.retry_at > now || !may_send(t, now)) continue;
        if (t.of_generation != known_generation_) {
            renew(i, r);
            continue;
        }
        const bool all_taken = push(i, r);
        if (!t.saves.has_work()) t.flush_at = steady::time_point::max();
        if (t.breaker.current() != core::breaker::state::closed) continue;
        // A group that still waits in a line shares its context's name with the next group of its key, so
        // contexts are written only behind the last of the line.
        if (all_taken && t.saves.has_work() && (finishing_ || now >= t.flush_at)) to_save.push_back(i);
    }
    // Behind all pushes, which is the order in which settle() reads the replies.
    for (const auto line : to_save)
        save(line, r);
    if (r.watch) append_watch(r.commands, lines_[*r.watch].keys);
    return r;
}

void pusher::load_scripts(round& r) {
    r.commands.add({"SCRIPT", "LOAD", push_script});
    r.commands.add({"SCRIPT", "LOAD", save_script});
    r.loads = 2;
}

// Sends the line's next batch; true: nothing of the line is left behind it.
bool pusher::push(std::size_t line, round& r) {
    auto& t = lines_[line];
    const auto* b = t.line.next();
    if (b == nullptr) return true;
    const push_terms terms{push_sha_, t.keys, writer_, t.epoch, sink_.place_of, sink_.stream_fields};
    if (may_use_transactions(t, *b)) r.watch = line;
    if (r.watch == line && watched_ == line && !b->sent_before) {
        watched_.reset();
        r.transaction = line;
        append_transaction(r.commands, t.line.target(), *b, terms);
    } else {
        append_push(r.commands, t.line.target(), *b, terms);
    }
    append_wait(r.commands, redis_.settings(), t.keys, b->sequence);
    r.pushes.push_back(line);
    return t.line.waiting() == b->deliveries.size();
}

void pusher::save(std::size_t line, round& r) {
    auto& t = lines_[line];
    t.saves.encode(r.commands, save_sha_, t.epoch, steady::now(), core::wall::now());
    t.flush_at = steady::time_point::max();
    r.saves.push_back(line);
}

}  // namespace postrider::redis
