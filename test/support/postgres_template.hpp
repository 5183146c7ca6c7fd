#pragma once

#include <string>

namespace postrider::support {

// The folder with Postgres' server programs: that of `initdb` in PATH, else the newest under
// /usr/lib/postgresql. Throws std::runtime_error when there is none.
std::string postgres_programs();

// Makes `to` a fresh data folder that belongs to the account Postgres runs as. initdb runs once only and its
// result is kept, by server version, in $POSTRIDER_TEST_CACHE or else beside the running test program.
void copy_postgres_template(const std::string& to);

}  // namespace postrider::support
