#include "redis/pusher.hpp"

#include <openssl/evp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <deque>

#include "redis/classify.hpp"
#include "redis/names.hpp"
#include "redis/scripts.hpp"

namespace postrider::redis {
namespace {

using core::steady;

// A ledger outlives every retry; it goes by itself some time after its writer.
constexpr std::string_view ledger_ttl = "604800000";

std::string sha1(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < length; ++i)
        hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

std::string_view word(event::target_kind kind) {
    switch (kind) {
        case event::target_kind::list:
            return "list";
        case event::target_kind::stream:
            return "stream";
        case event::target_kind::pubsub:
            return "pubsub";
    }
    return "list";
}

}  // namespace

pusher::pusher(const asio::any_io_executor& executor, client& redis, saver& saves, pusher_sink sink,
               std::string writer, core::milliseconds linger)
    : redis_(redis),
      saves_(saves),
      sink_(std::move(sink)),
      writer_(std::move(writer)),
      linger_(linger),
      work_(executor),
      pause_(executor),
      backoff_(core::milliseconds(100), core::milliseconds(5'000), std::hash<std::string>{}(writer_)),
      push_sha_(sha1(push_script)),
      context_sha_(sha1(context_script)) {}

std::size_t pusher::line_to(const event::target& to) {
    const auto same = std::find_if(lines_.begin(), lines_.end(), [&](const push_line& l) {
        return l.target().kind == to.kind && l.target().name == to.name;
    });
    if (same != lines_.end()) return static_cast<std::size_t>(same - lines_.begin());
    lines_.emplace_back(to);
    return lines_.size() - 1;
}

void pusher::add(std::size_t line, delivery d) {
    ++status_.accepted;
    const bool was_empty = empty();
    lines_[line].add(std::move(d));
    if (was_empty) work_.notify();
}

void pusher::saves_changed() {
    if (flush_at_ != steady::time_point::max()) return;
    flush_at_ = steady::now() + linger_;
    work_.notify();
}

void pusher::finish() {
    finishing_ = true;
    work_.notify();
    pause_.notify();
}

void pusher::stop() {
    stopping_ = true;
    finish();
}

bool pusher::empty() const {
    return std::all_of(lines_.begin(), lines_.end(), [](const push_line& l) { return l.empty(); });
}

std::size_t pusher::waiting() const {
    std::size_t sum = 0;
    for (const auto& l : lines_)
        sum += l.waiting();
    return sum;
}

std::size_t pusher::waiting_bytes() const {
    std::size_t sum = 0;
    for (const auto& l : lines_)
        sum += l.waiting_bytes();
    return sum;
}

asio::awaitable<void> pusher::run() {
    for (;;) {
        co_await wait_for_work();
        if (stopping_ || (finishing_ && empty() && !saves_.has_work())) co_return;
        if (!redis_.connected()) {
            const bool connected = co_await redis_.wait_connected();
            if (!connected) co_return;
            continue;
        }
        auto r = next_round();
        auto commands = std::move(r.commands);
        if (commands.empty()) continue;
        const auto answered = co_await redis_.execute(std::move(commands));
        if (!answered) {
            // Whether it was done nobody knows; the ledger does, and the same batch asks it again.
            ++status_.retries;
            if (r.saves != 0) saves_.failed();
            if (saves_.has_work()) saves_changed();
            continue;
        }
        const bool again = settle(r, *answered);
        if (again) co_await pause();
    }
}

asio::awaitable<void> pusher::wait_for_work() {
    while (!stopping_ && empty() && !(finishing_ && !saves_.has_work())) {
        if (flush_at_ != steady::time_point::max() && (finishing_ || steady::now() >= flush_at_)) co_return;
        if (finishing_) co_return;
        co_await work_.wait_until(flush_at_);
    }
}

pusher::round pusher::next_round() {
    round r;
    if (known_generation_ != redis_.generation()) {
        known_generation_ = redis_.generation();
        scripts_loaded_ = false;
        sink_.server_changed();
    }
    if (!scripts_loaded_) {
        r.commands.add({"SCRIPT", "LOAD", push_script});
        r.commands.add({"SCRIPT", "LOAD", context_script});
        r.loads = 2;
    }
    bool all_taken = true;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const auto* b = lines_[i].next();
        if (b == nullptr) continue;
        encode(r.commands, lines_[i], *b);
        r.lines.push_back(i);
        all_taken = all_taken && lines_[i].waiting() == b->deliveries.size();
    }
    if (!saves_.has_work()) flush_at_ = steady::time_point::max();
    // A group that still waits in a line shares its context's name with the next group of its key, so
    // contexts are written only behind the last of the line.
    const auto now = steady::now();
    if (all_taken && saves_.has_work() && (finishing_ || now >= flush_at_)) {
        const auto before = r.commands.size();
        saves_.encode(r.commands, context_sha_, now, core::wall::now());
        r.saves = r.commands.size() - before;
        flush_at_ = steady::time_point::max();
    }
    return r;
}

void pusher::encode(pipeline& p, const push_line& line, const batch& b) const {
    const auto& to = line.target();
    std::deque<std::string> made;  // whatever the words refer to and nobody else holds
    const auto keep = [&](std::string s) -> std::string_view { return made.emplace_back(std::move(s)); };

    std::vector<std::string_view> keys{to.name, keep(ledger_name(to.name, writer_))};
    std::vector<std::string_view> bodies;
    std::size_t contexts = 0;
    std::map<std::string_view, std::vector<const std::pair<std::int64_t, std::string>*>> seen;
    for (const auto& d : b.deliveries) {
        bodies.push_back(d.body);
        if (!d.saved_as.empty()) {
            keys.push_back(d.saved_as);
            ++contexts;
        }
        for (const auto& s : d.seen)
            seen[d.seen_in].push_back(&s);
    }
    for (const auto& [set, ids] : seen)
        keys.push_back(set);

    std::vector<std::string_view> words{"EVALSHA", push_sha_, keep(std::to_string(keys.size()))};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(),
                 {keep(std::to_string(b.sequence)), word(to.kind), keep(std::to_string(to.max_length)),
                  ledger_ttl, keep(std::to_string(contexts)), keep(std::to_string(bodies.size()))});
    words.insert(words.end(), bodies.begin(), bodies.end());
    for (const auto& [set, ids] : seen) {
        words.push_back(keep(std::to_string(ids.size())));
        for (const auto* s : ids) {
            words.push_back(keep(std::to_string(s->first)));
            words.push_back(s->second);
        }
    }
    p.add(words);
}

bool pusher::settle(const round& r, const std::vector<reply>& replies) {
    std::size_t at = r.loads;
    bool again = false;
    if (r.loads != 0) scripts_loaded_ = !replies[0].is_error() && !replies[1].is_error();
    status_.last_error.clear();
    for (const auto line : r.lines)
        again = settle_line(lines_[line], replies[at++]) || again;
    if (r.saves != 0 && again) {
        // A group that is pushed again deletes its context again, which the next group of its key may have
        // taken.
        saves_.failed();
    } else if (r.saves != 0) {
        const auto error = saves_.replied(std::span(replies).subspan(at, r.saves));
        if (!error.empty() && error != status_.save_error)
            spdlog::warn("redis: open groups cannot be saved, a kill would lose them: {}", error);
        status_.save_error = error;
        if (!error.empty()) sink_.cannot_save();
        again = again || !error.empty();
    }
    if (saves_.has_work()) saves_changed();
    if (!again) backoff_.reset();
    return again;
}

bool pusher::settle_line(push_line& line, const reply& r) {
    switch (classify(r)) {
        case verdict::delivered: {
            auto all = line.done();
            status_.finished += all.size();
            sink_.delivered(std::move(all));
            return false;
        }
        case verdict::reload:
            scripts_loaded_ = false;
            return false;
        case verdict::permanent:
            // A key that may not be deleted could not be saved either, so the push does without it.
            if (r.text.starts_with("NOPERM") && line.forget_saved()) return false;
            if (auto d = line.refused()) {
                ++status_.finished;
                sink_.refused(std::move(*d), r.text);
            }
            return false;
        case verdict::reroute:
        case verdict::retry:
            break;
    }
    ++status_.retries;
    status_.last_error = r.text;
    if (wants_reconnect(r)) redis_.reconnect(r.text);
    return true;
}

asio::awaitable<void> pusher::pause() {
    const auto wait = backoff_.next();
    if (backoff_.attempts() == 1)
        spdlog::warn("redis: a push has to wait: {}",
                     status_.last_error.empty() ? status_.save_error : status_.last_error);
    const auto until = steady::now() + wait;
    if (!stopping_) co_await pause_.wait_until(until);
}

}  // namespace postrider::redis
