#include "redis/push_call.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "redis/scripts.hpp"

namespace postrider::redis {
namespace {

// A ledger outlives every retry; it goes by itself some time after its writer.
constexpr std::string_view ledger_ttl = "604800000";

// The words of one command. Some are made here and kept until the command is encoded.
class words {
 public:
    void add(std::string_view w) { all_.push_back(w); }
    void make(std::string w) { all_.push_back(made_.emplace_back(std::move(w))); }
    void make(std::uint64_t n) { make(std::to_string(n)); }
    void append(const words& other) { all_.insert(all_.end(), other.all_.begin(), other.all_.end()); }
    std::size_t size() const { return all_.size(); }
    const std::vector<std::string_view>& all() const { return all_; }

 private:
    std::vector<std::string_view> all_;
    std::deque<std::string> made_;
};

// The ids of a batch by the set that remembers them.
std::size_t append_seen(const batch& b, words& keys, words& values) {
    std::map<std::string_view, std::vector<const std::pair<std::int64_t, std::string>*>> sets;
    for (const auto& d : b.deliveries) {
        if (d.seen_in.empty()) continue;
        for (const auto& s : d.seen)
            sets[d.seen_in].push_back(&s);
    }
    for (const auto& [set, ids] : sets) {
        keys.add(set);
        values.make(ids.size());
        for (const auto* s : ids) {
            values.make(std::to_string(s->first));
            values.add(s->second);
        }
    }
    return sets.size();
}

void append_places(const batch& b, const push_terms& terms, words& keys, words& values) {
    std::map<std::size_t, std::vector<const delivery*>> routes;
    for (const auto& d : b.deliveries)
        if (d.number != 0) routes[d.route].push_back(&d);
    for (const auto& [route, deliveries] : routes) {
        const auto p = terms.place_of(route);
        keys.make(terms.keys.place(p.route));
        keys.make(terms.keys.behind(p.route));
        values.make(p.marker);
        values.make(p.base);
        if (p.kind == place::order::in_order) {
            // The last of the batch stands for all before it.
            values.make(deliveries.back()->number);
            values.add("0");
            continue;
        }
        values.add("");
        values.make(deliveries.size());
        for (const auto* d : deliveries) {
            values.make(d->number);
            if (p.kind == place::order::by_key)
                values.add(d->key);
            else
                values.make(std::to_string(d->number));
        }
    }
}

void append_fields(const delivery& d, const push_terms& terms, words& values) {
    auto fields = terms.stream_fields(d);
    values.make(fields.size() / 2);
    for (auto& w : fields)
        values.make(std::move(w));
}

// Calls push.lua, as `how` says, with the bodies from number `first` on and everything else of the whole
// batch.
void append_script(pipeline& p, std::pair<std::string_view, std::string_view> how, const event::target& to,
                   const batch& b, std::size_t first, const push_terms& terms) {
    words keys;
    words values;
    keys.add(to.name);
    keys.make(terms.keys.ledger(terms.writer));
    keys.make(terms.keys.epoch());
    std::uint64_t contexts = 0;
    for (std::size_t i = first; i < b.deliveries.size(); ++i) {
        values.add(b.deliveries[i].body);
        if (to.kind == event::target_kind::stream) append_fields(b.deliveries[i], terms, values);
    }
    for (const auto& d : b.deliveries) {
        if (d.saved_as.empty()) continue;
        keys.add(d.saved_as);
        ++contexts;
    }
    const auto sets = append_seen(b, keys, values);
    append_places(b, terms, keys, values);

    words command;
    command.add(how.first);
    command.add(how.second);
    command.make(keys.size());
    command.append(keys);
    command.make(b.sequence);
    command.add(event::name(to.kind));
    command.make(to.max_length);
    command.add(ledger_ttl);
    command.make(terms.epoch);
    command.make(contexts);
    command.make(sets);
    command.make(b.deliveries.size() - first);
    command.append(values);
    p.add(command.all());
}

}  // namespace

void append_push(pipeline& p, const event::target& to, const batch& b, const push_terms& terms) {
    append_script(p, {"EVALSHA", terms.script_sha}, to, b, 0, terms);
}

void append_transaction(pipeline& p, const event::target& to, const batch& b, const push_terms& terms) {
    const auto last = b.deliveries.size() - 1;
    std::vector<std::string_view> push{"RPUSH", to.name};
    for (std::size_t i = 0; i < last; ++i)
        push.push_back(b.deliveries[i].body);
    p.add({"MULTI"});
    p.add(push);
    // By its text: a server that had forgotten the script would do half of it.
    append_script(p, {"EVAL", push_script}, to, b, last, terms);
    p.add({"EXEC"});
}

bool transaction_done(std::span<const reply> replies) {
    const auto& all = replies.back().items;
    return all.size() == 2 && !all[0].is_error() && !all[1].is_error();
}

void append_watch(pipeline& p, const target_keys& keys) {
    const auto epoch = keys.epoch();
    p.add({"MULTI"});
    p.add({"EXEC"});
    p.add({"WATCH", epoch});
    p.add({"GET", epoch});
}

bool watch_holds(std::span<const reply> replies, std::uint64_t epoch) {
    return replies[1].type == reply::kind::array && !replies[2].is_error() &&
           replies[3].text == std::to_string(epoch);
}

}  // namespace postrider::redis
