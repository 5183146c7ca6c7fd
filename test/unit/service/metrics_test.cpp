#include "service/metrics.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace postrider::service {
namespace {

std::string page_of(std::vector<std::pair<std::string, std::uint64_t>> by_reason) {
    http::letter_stats letters;
    letters.by_reason = std::move(by_reason);
    http::metric_page page;
    add_failures(page, letters);
    return page.text();
}

std::size_t series_in(const std::string& page) {
    return static_cast<std::size_t>(std::count(page.begin(), page.end(), '{'));
}

bool holds(const std::string& page, const std::string& line) {
    return page.find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE(
    "a refusal in words that Redis does not use is counted under the reason other, however many there are") {
    const auto quiet = page_of({});
    CHECK(holds(quiet, R"(postrider_permanent_failures_total{reason="other"} 0)"));
    const auto page = page_of({{"WRONGTYPE", 3}, {"no", 2}, {"upstream", 4}, {"", 1}, {"x\"}\n", 5}});
    CHECK(holds(page, R"(postrider_permanent_failures_total{reason="WRONGTYPE"} 3)"));
    CHECK(holds(page, R"(postrider_permanent_failures_total{reason="other"} 12)"));
    CHECK(series_in(page) == series_in(quiet));
}

TEST_CASE("an event that was turned away is no push that Redis refuses") {
    const auto page = page_of({{"not_json", 7}, {"no_key", 1}, {"NOPERM", 1}});
    CHECK(holds(page, R"(postrider_permanent_failures_total{reason="NOPERM"} 1)"));
    CHECK(holds(page, R"(postrider_permanent_failures_total{reason="other"} 0)"));
}

}  // namespace
}  // namespace postrider::service
