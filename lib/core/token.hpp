#pragma once

#include <string>

namespace postrider::core {

// 24 random hexadecimal digits: unique across processes and machines, not a secret.
std::string random_token();

}  // namespace postrider::core
