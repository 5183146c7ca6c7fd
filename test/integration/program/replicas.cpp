#include "replicas.hpp"

#include <doctest/doctest.h>

namespace postrider::test {
namespace {

// Who comes while nobody leads might lead.
const postrider_settings& once_ready(running_postrider& leader, const postrider_settings& wanted) {
    REQUIRE_MESSAGE(leader.becomes_ready(), leader.end_of_log());
    return wanted;
}

}  // namespace

replicas::replicas(const postrider_settings& wanted) : first(wanted), second(once_ready(first, wanted)) {
    REQUIRE_MESSAGE(second.answers("/health/readiness", R"("role":"standby")"), second.end_of_log());
}

}  // namespace postrider::test
