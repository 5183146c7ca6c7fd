#pragma once

#include <string>
#include <string_view>

namespace postrider::core {

// The text with "***" in place of what is secret in connection strings, wherever they stand in it:
//   scheme://user:password@host   becomes  scheme://***@host   (any scheme; user and password)
//   password=…, sslpassword='…', ?password=…, PGPASSWORD=…     (any name that ends with password, or is
//   passwd, pwd, auth or token, also as the end of a longer name; the value unquoted, or in quotes as libpq
//   and shells read them)
// Where a text can be read in two ways, too much is taken out rather than too little. Never fails.
std::string redact(std::string_view text);

}  // namespace postrider::core
