#pragma once

#include <sys/types.h>

#include <cstddef>

namespace postrider::support {

// What a running process uses, as the kernel counts it; 0 once it is gone.
std::size_t resident_bytes(pid_t process);
std::size_t peak_bytes(pid_t process);  // the most that was ever resident
double cpu_seconds(pid_t process);      // computed so far, in the system's calls too
std::size_t open_descriptors(pid_t process);

}  // namespace postrider::support
