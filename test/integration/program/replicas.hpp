#pragma once

#include "running_postrider.hpp"

namespace postrider::test {

// Two processes of one name, the first of which leads while the second stands by; fails the test otherwise.
struct replicas {
    explicit replicas(const postrider_settings& wanted);

    running_postrider first;
    running_postrider second;
};

}  // namespace postrider::test
