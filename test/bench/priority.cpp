#include "bench/priority.hpp"

#include <sched.h>

namespace postrider::bench {

void give_way() {
    const sched_param none{};
    ::sched_setscheduler(0, SCHED_IDLE, &none);
}

}  // namespace postrider::bench
