#pragma once

namespace postrider::bench {

// From here on this thread computes only what the others leave over: the clients of a real server compute on
// other machines.
void give_way();

}  // namespace postrider::bench
