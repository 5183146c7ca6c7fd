#pragma once

#include <sys/types.h>

#include <vector>

namespace postrider::support {

// The processes whose parent is this one now, ended but not reaped ones included.
std::vector<pid_t> children_of(pid_t parent);

// Whether it ended, reaped or not.
bool has_ended(pid_t process);

// SIGSTOP, and returns when the process stands still or ended; throws std::runtime_error when neither comes.
void freeze(pid_t process);

}  // namespace postrider::support
