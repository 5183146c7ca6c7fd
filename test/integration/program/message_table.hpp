#pragma once

#include <string>

#include "chat.hpp"
#include "support/sql.hpp"

namespace postrider::test {

// A table of messages whose trigger notifies the channel "chat", and the routes that read it: in groups to
// the list "groups", each at once to the list "singles", both catching up from the table.
class message_table {
 public:
    explicit message_table(const std::string& postgres_url);  // makes the table anew

    // Inserts the next message of the conversation; false: Postgres is away, and nothing was inserted.
    bool write(const std::string& key);
    // By turns to ten conversations; see above.
    bool write_next() { return write("k" + std::to_string(talk_.total() % 10)); }

    const chat& talk() const { return talk_; }

    // With a heartbeat of 1 s, windows of 150 ms and no cooldown.
    static std::string routes();

 private:
    support::sql database_;
    chat talk_;
};

}  // namespace postrider::test
