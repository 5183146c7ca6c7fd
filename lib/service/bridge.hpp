#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "event/dead_letter.hpp"
#include "event/hearing.hpp"
#include "event/letter_text.hpp"
#include "event/payload.hpp"
#include "event/recent.hpp"
#include "net/signal.hpp"
#include "redis/pusher.hpp"
#include "redis/saved_state.hpp"
#include "redis/saver.hpp"
#include "service/channel_table.hpp"
#include "service/configuration.hpp"
#include "service/event_journal.hpp"
#include "service/lane.hpp"
#include "service/parked_events.hpp"
#include "service/progress.hpp"

namespace postrider::service {

// The way of an event: source → payload → grouper → pusher → acknowledge.
class bridge {
 public:
    // What an earlier process left is read through `values`; `letters` takes what cannot be delivered.
    bridge(const asio::any_io_executor& executor, const configuration& c, redis::client& redis,
           redis::cache& values, std::function<void(event::dead_letter)> letters);
    bridge(const bridge&) = delete;
    bridge& operator=(const bridge&) = delete;

    // Leads while this process is elected: claims the targets, adopts what an earlier process left in Redis,
    // waiting for Redis as long as it takes, and then calls `ready`. While another leads it forgets of what
    // is held whatever that one has done. Where another has claimed the targets it calls `deposed`, because
    // the election it knows of is out of date. Returns after stop() or finish().
    asio::awaitable<void> reign(std::function<void()> ready, std::function<void()> deposed);
    // Events can be taken.
    bool ready() const { return elected_ && confirmed_; }
    bool leading() const { return restored_; }
    // What came before this session is delivered or saved, so that this process could lead on from here
    // whatever becomes of the leader. After 15 s it counts as such, because the leader may be unable to say.
    bool in_sync() const { return in_sync_; }

    // From the source: a session has begun, before which something may have been missed; what is heard from
    // now on is held until live().
    void session_began();
    // This process was elected, or has to stand by while another leads.
    // `session` is the listening session's process number in Postgres.
    void elected(int session);
    void stand_by();
    void session_ended();
    // Everything missed has been caught up: what is held is taken, and from now on what comes, at once.
    void live();
    // An event heard, and a marker that every replica hears at the same place.
    void notified(std::string_view channel, std::string_view payload);
    void marked(std::string_view marker);
    // From the source: an event of the catch-up query number `n`, and where that query starts.
    void caught_up(std::size_t n, std::string_view payload);
    std::string catch_up_since(std::size_t n);
    void catch_up_completed(std::size_t n);
    std::vector<std::string> catch_up_queries() const;
    std::vector<std::string> channels() const;

    // This letter is safe elsewhere, or of no use any more: what stands in Redis of its push may go, and a
    // catch-up does not bring its events again.
    void letter_settled(const event::dead_letter& l);
    // Takes an event that was turned away once more; false: its route is not configured any more.
    bool take_again(const event::dead_letter& l);

    // Sends off what is due, when it is due; returns after stop().
    asio::awaitable<void> keep_time();
    // Puts events aside in Postgres while too much waits for Redis, and takes them back, in order; returns
    // after stop(), or after finish() once all that is to be put aside is.
    asio::awaitable<void> keep_parked();
    // Carries deliveries to Redis; returns after stop(), or after finish() once all is delivered and saved.
    asio::awaitable<void> carry() { return pusher_.run(); }

    // No more events come: time stands still, open groups are saved, what is on its way is delivered.
    void finish();
    // After finish(): nothing more goes to Redis. What it has not taken is put aside in Postgres, so that the
    // next start brings it; keep_parked() returns when that is done.
    void settle();
    void stop();
    // Events that are neither delivered nor saved.
    std::uint64_t unsaved() const;

    // Of those: what was heard since this process was elected, while Redis could not say whether another has
    // led.
    std::uint64_t unread() const { return is_unread_ ? hearing_.held() + parked_.unwritten() : 0; }

    // For the endpoints: what is put aside, the routes, the way to Redis, what became of the events.
    const parked_events& parked() const { return parked_; }
    const std::deque<lane>& lanes() const { return lanes_; }
    const redis::pusher& carrier() const { return pusher_; }
    const event_journal& journal() const { return journal_; }

 private:
    using subscribers = channel_table::subscribers;
    using steady_time = core::steady::time_point;

    redis::open_groups groups_of(std::size_t line);

    void hold(event::hearing::heard h);
    void hold_unread(event::hearing::heard h);
    bool is_too_much_held() const;
    event::parked unnumbered(const event::hearing::heard& h) const;
    void sort_held(std::vector<event::parked_range> ranges);
    void sort_held(event::hearing::heard h, const std::vector<event::numbering>& numbers,
                   std::vector<event::hearing::heard>& kept);
    asio::awaitable<core::result<bool>> park_unread();
    void release();
    void take_held(const event::hearing::heard& h);
    void finish_held();
    asio::awaitable<void> stand();

    std::size_t waiting_bytes() const;
    bool must_park();
    asio::awaitable<core::result<void>> find_parked();
    asio::awaitable<void> carry_parked();
    asio::awaitable<core::result<bool>> take_some_back();
    void park(event::parked p);
    bool has_parked() const;
    void gather_what_is_left();
    void put_aside(const lane& l, std::string_view messages, const std::vector<std::uint64_t>& numbers);
    static std::vector<std::uint64_t> numbers_of(const std::vector<std::string>& ids);
    void tell_holes();
    bool may_take_back() const;
    void take_from_memory();
    void take_back(const event::parked& p);
    // `until` is what heard_until() gave when it was heard.
    event::parked numbered(const subscribers& who, std::uint64_t number, std::string_view only,
                           const std::vector<std::uint64_t>& until) const;
    void forget_parked();
    // `only` is the name of the route that it is for; empty: all of the channel. `until`: see cancel_all().
    void process(const subscribers& who, std::string_view payload, std::uint64_t number, steady_time now,
                 std::string_view only, const std::vector<std::uint64_t>& until = {});
    bool is_for(std::size_t route, std::string_view only) const {
        return only.empty() || lanes_[route].route.name == only;
    }
    bool taken_before(const subscribers& who, std::string_view payload, std::uint64_t number);
    bool taken_before(const subscribers& who, const event::parked& p);
    // `number` is 0 for an event of a catch-up.
    void take(std::size_t route, std::string_view payload, std::uint64_t number, steady_time now);
    static constexpr auto no_limit = std::numeric_limits<std::uint64_t>::max();
    // Of each route that the event just heard cancels: the last event before it, by what was heard here.
    std::vector<std::uint64_t> heard_until(const subscribers& who) const;
    // The same by the routes' numbers; `unknown` where nobody can say.
    std::vector<std::uint64_t> numbers_until(const subscribers& who, const std::vector<std::uint64_t>& heard,
                                             std::uint64_t unknown = no_limit) const;
    std::vector<std::uint64_t> numbers_until(const subscribers& who, const event::parked& p) const;
    void cancel_again();
    // Cancels what waits of each route, its numbers up to `until`; empty: all.
    void cancel_all(const subscribers& who, std::string_view payload,
                    const std::vector<std::uint64_t>& until = {});
    void cancel(std::size_t route, std::string_view payload, std::uint64_t until);
    void schedule(lane& l, event::envelope e, std::string_view payload, std::uint64_t number,
                  steady_time now);
    void reject(lane& l, event::rejection why, std::string_view payload);

    void leave(std::size_t route, std::vector<event::group>& groups);
    void leave(std::size_t route, event::delayed d);
    void leave_at_once(std::size_t route, event::envelope&& e, std::string_view payload, std::uint64_t number,
                       steady_time now);
    void push_everything_open();

    void delivered(std::vector<redis::delivery> all);
    void refused(redis::delivery d, const std::string& why);
    void server_changed();
    void note_taken(lane& l, std::uint64_t number);
    void rearm(const lane& l);
    bool has_progress() const;
    progress::line done_on(std::size_t line) const {
        return {pusher_.accepted(line), pusher_.finished(line)};
    }
    void save_progress(steady_time now);
    void save_progress(lane& l, progress::step step);
    void write_progress(lane& l);
    void note_markers(lane& l, std::optional<std::uint64_t> number);
    redis::saver& saves(const lane& l) { return pusher_.saves(l.line); }
    steady_time next_deadline() const;

    asio::awaitable<core::result<void>> take_over();
    asio::awaitable<core::result<void>> forget_done();
    void forget_done(const std::vector<redis::saved_place>& places);
    bool is_before_session_done(const std::vector<event::numbering>& numbers,
                                const std::vector<redis::saved_place>& places) const;
    void note_all_taken();
    void cannot_take_over(const std::string& why);
    void deposed(const std::string& why);
    void tell_namesake();
    void step_down(const std::string& why);
    asio::awaitable<core::result<void>> load();
    void number_parked();
    std::optional<event::marked_number> marker_heard(const lane& l, std::string_view name) const;
    std::uint64_t number_of(const event::parked& p, const lane& l) const;
    void number_events(lane& l, const redis::saved_place& saved);
    asio::awaitable<core::result<void>> note_first_start(const lane& l);
    void adopt_progress(lane& l, const redis::saved_progress& saved);
    // Of each route and key: the last event of a push that was refused.
    using refused_keys = std::map<std::pair<std::size_t, std::string>, std::uint64_t>;
    void adopt_contexts(const std::vector<std::pair<std::string, std::string>>& saved,
                        const refused_keys& refused);
    void adopt_context(const std::string& name, const std::string& text, const refused_keys& refused);
    void keep_letter(lane& l, event::dead_letter letter, std::uint64_t number);
    refused_keys adopt_letters(const std::vector<std::pair<std::string, std::string>>& saved);
    std::optional<event::saved_letter> adopt_letter(const std::string& name, const std::string& text);
    void adopt_delay(const std::string& name, const std::string& text);
    std::optional<std::size_t> find_route(std::string_view name) const;
    std::optional<std::size_t> find_route(std::string_view name, event::policy p) const;

    const configuration& configuration_;
    redis::client& redis_;
    redis::cache& values_;
    redis::pusher pusher_;
    std::deque<lane> lanes_;
    channel_table channels_;
    std::vector<std::size_t> catch_ups_;  // the routes that have one
    event::hearing hearing_{0};
    event::recent lately_cancelling_;  // held once, on channels that no route has
    parked_events parked_;
    net::stoppable parking_;
    std::string hindrance_;  // of taking over; said in the log
    std::uint64_t elections_ = 0;
    bool settled_ = false;
    bool is_unread_ = false;  // elected, and Redis not asked since: what is heard goes to the table
    bool is_sorted_ = false;  // what is held then is known to come before what is put aside
    net::signal park_again_;
    std::string only_;  // the route that the next event is for; see replay_channel.hpp
    event::payload_reader reader_;
    std::vector<progress> progress_;  // of each line, for the places of its routes
    progress parked_progress_;        // of all lines, among which what was put aside is scattered
    std::function<void(event::dead_letter)> letters_;
    std::set<std::string> kept_letters_;  // given to them and not settled, by their names in Redis
    net::signal timer_;
    net::signal reign_;
    std::function<void()> on_deposed_;
    steady_time armed_ = steady_time::max();
    event_journal journal_;
    core::wall::time_point started_;
    bool stood_by_ = false;    // while another led
    bool deposed_ = false;     // and nobody was found to lead since
    bool elected_ = false;     // the source's session says so
    bool confirmed_ = false;   // since then no other process has led, or what it left is adopted
    bool restored_ = false;    // what is open here is all there is
    bool forgetting_ = false;  // said so in the log
    steady_time looked_{};     // for what the leader has done, because much is held
    steady_time began_{};      // the session
    bool in_sync_ = false;
    bool holding_ = true;  // what is heard may not be taken yet
    bool stopping_ = false;
    bool finishing_ = false;
};

}  // namespace postrider::service
