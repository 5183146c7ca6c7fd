#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "event/parked.hpp"
#include "net/asio.hpp"
#include "net/stoppable.hpp"
#include "postgres/parking.hpp"

namespace postrider::service {

// The events that are put aside in Postgres: what waits here to be written, how far what stands in the table
// is taken back, and what a stop puts in front of it. When an event is put aside, when it may come back and
// what becomes of it then is not decided here.
//
// The way of an event: add(), write_some(), read_some(), took(), two looks of the progress with mark(), and
// delete_done(). One of the calls that are awaited at a time, but find(), which may run beside another.
class parked_events {
 public:
    explicit parked_events(postgres::parking_settings settings);
    parked_events(const parked_events&) = delete;
    parked_events& operator=(const parked_events&) = delete;

    // The listening session's process number in Postgres, while it leads; 0: nothing is written.
    void led_by(int session) { leader_ = session; }
    bool may_write() const { return leader_ != 0; }

    // What is heard goes to the table, from begin() or take_over() on, until what is there is forgotten.
    void begin() { is_parking_ = true; }
    bool is_parking() const { return is_parking_; }
    // Events in the table, as far as this process knows.
    std::uint64_t in_table() const { return in_table_; }

    // Puts one behind all others.
    void add(event::parked p) { to_write_.push_back(std::move(p)); }
    // Those that are not in the table yet.
    std::size_t unwritten() const { return to_write_.size(); }
    // The oldest of those, which is not written then; empty: none.
    std::optional<event::parked> take_unwritten();
    // Writes some of them; true: it has.
    asio::awaitable<core::result<bool>> write_some();

    // The oldest in the table that are not taken. What had no numbers has to have them where whoever leads
    // next finds them, see has_new_numbers().
    asio::awaitable<core::result<std::vector<event::parked>>> read_some();
    // These are taken.
    void took(const std::vector<event::parked>& events);
    // A look of the progress, see progress::look(): what was taken before a mark that is reached is delivered
    // or saved.
    void mark(bool is_reached);
    // Deletes what is delivered or saved.
    asio::awaitable<core::result<void>> delete_done();
    // Nothing that was taken is left in the table.
    bool is_deleted() const { return deleted_ == taken_; }

    // What the table has of each route, also while another call is under way. Errors: stopped, after
    // stop_finding(); those of parking::ranges().
    asio::awaitable<core::result<std::vector<event::parked_range>>> find();
    // Nobody wants to know it any more: ends it at once, however long it may take.
    void stop_finding() { finding_.stop(); }
    // The same between the other calls.
    asio::awaitable<core::result<std::vector<event::parked_range>>> ranges() { return table_.ranges(); }
    // This process leads from here on, and what the table has comes first.
    void take_over(std::vector<event::parked_range> ranges);
    // The same before it leads: what of that waits here to be written is dropped.
    void stand_behind(std::vector<event::parked_range> ranges);
    // What was put aside before, of each route, with what waited here by then.
    const std::vector<event::parked_range>& before() const { return before_; }
    // What is heard has its place by now.
    void forget_before() { before_.clear(); }
    // What of that has no number is numbered by a route's markers.
    void number_before(std::string_view route, const std::vector<event::marked_number>& markers);
    void note_new_numbers() { has_new_numbers_ = true; }
    bool has_new_numbers() const { return has_new_numbers_; }

    // Forgets everything but what waits to be put in front.
    void forget();
    // The same of what stands in the table alone.
    void forget_written();
    // What is under way counts no more, because another leads.
    void end_term() { ++terms_; }
    // How often that was; the same before and after a call: it still counts.
    std::uint64_t terms() const { return terms_; }

    // Taken once, and not delivered before the stop; or heard before all that is in the table.
    void add_in_front(event::parked p) { in_front_.push_back(std::move(p)); }
    // As they came: what the next leader knows to be done ends with the first number that it does not know.
    void sort_front();
    std::size_t left_in_front() const { return in_front_.size() + putting_.size(); }
    // Writes those; true: it has.
    asio::awaitable<core::result<bool>> put_back();

    // Says in the log why the last call has failed, once however often it does.
    void tell(const core::failure& why);
    // The table is not there and may not be created.
    bool is_missing() const { return table_.missing(); }
    // Closes the connection to Postgres.
    void close() { table_.close(); }

 private:
    asio::awaitable<void> look();
    std::size_t drop_written(const std::vector<event::parked_range>& ranges);
    void set_before(std::vector<event::parked_range> ranges);

    postgres::parking table_;
    postgres::parking finder_;  // has a connection of its own
    net::stoppable finding_;
    std::optional<core::result<std::vector<event::parked_range>>> found_;
    int leader_ = 0;
    std::uint64_t terms_ = 0;
    bool is_parking_ = false;
    std::deque<event::parked> to_write_;
    bool write_failed_ = false;  // nobody knows whether the last write was done
    std::uint64_t in_table_ = 0;
    std::int64_t taken_ = event::parked::no_id;   // the last event of the table that was taken
    std::int64_t marked_ = event::parked::no_id;  // at the last mark of the progress
    std::int64_t done_ = event::parked::no_id;    // delivered or saved: to be deleted
    std::int64_t deleted_ = event::parked::no_id;
    std::vector<event::parked_range> before_;
    bool has_new_numbers_ = false;  // of events that were put aside without
    std::deque<event::parked> in_front_;
    std::vector<event::parked> putting_;  // the last of those, while they are written
    std::string error_;                   // said in the log
};

}  // namespace postrider::service
