#include "service/progress_bar.hpp"

#include <doctest/doctest.h>

using postrider::service::progress_bar;

TEST_CASE("the bar shows how far it is") {
    CHECK(progress_bar::line("dropping", 0, 80) ==
          "dropping [----------------------------------------] 0 of 80");
    CHECK(progress_bar::line("dropping", 40, 80) ==
          "dropping [####################--------------------] 40 of 80");
    CHECK(progress_bar::line("dropping", 80, 80) ==
          "dropping [########################################] 80 of 80");
    // More came than was counted.
    CHECK(progress_bar::line("dropping", 90, 80) ==
          "dropping [########################################] 90 of 80");
}
