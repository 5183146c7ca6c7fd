#include "redis/push_call.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "redis/names.hpp"

namespace postrider::redis {
namespace {

// A ledger outlives every retry; it goes by itself some time after its writer.
constexpr std::string_view ledger_ttl = "604800000";

std::string_view word(event::target_kind kind) {
    switch (kind) {
        case event::target_kind::stream:
            return "stream";
        case event::target_kind::pubsub:
            return "pubsub";
        case event::target_kind::list:
            break;
    }
    return "list";
}

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

void append_places(const event::target& to, const batch& b, const push_terms& terms, words& keys,
                   words& values) {
    std::map<std::size_t, std::vector<const delivery*>> routes;
    for (const auto& d : b.deliveries)
        if (d.number != 0) routes[d.route].push_back(&d);
    for (const auto& [route, deliveries] : routes) {
        const auto p = terms.place_of(route);
        keys.make(place_name(to.name, p.route));
        keys.make(behind_name(to.name, p.route));
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

}  // namespace

void append_push(pipeline& p, const event::target& to, const batch& b, const push_terms& terms) {
    words keys;
    words values;
    keys.add(to.name);
    keys.make(ledger_name(to.name, terms.writer));
    keys.make(epoch_name(to.name));
    std::uint64_t contexts = 0;
    for (const auto& d : b.deliveries) {
        values.add(d.body);
        if (to.kind == event::target_kind::stream) append_fields(d, terms, values);
        if (d.saved_as.empty()) continue;
        keys.add(d.saved_as);
        ++contexts;
    }
    const auto sets = append_seen(b, keys, values);
    append_places(to, b, terms, keys, values);

    words command;
    command.add("EVALSHA");
    command.add(terms.script_sha);
    command.make(keys.size());
    command.append(keys);
    command.make(b.sequence);
    command.add(word(to.kind));
    command.make(to.max_length);
    command.add(ledger_ttl);
    command.make(terms.epoch);
    command.make(contexts);
    command.make(sets);
    command.make(b.deliveries.size());
    command.append(values);
    p.add(command.all());
}

}  // namespace postrider::redis
