#include "event/time.hpp"

#include <cstdint>

namespace postrider::event {

namespace {

using std::chrono::microseconds;

// Takes what it reads from the front of the text.
class reader {
 public:
    explicit reader(std::string_view text) : rest_(text) {}

    bool done() const { return rest_.empty(); }

    bool digit_next() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

    bool one_of(std::string_view marks) {
        if (rest_.empty() || marks.find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // Exactly `digits` digits that stand for at most `limit`.
    bool number(int digits, int limit, int& value) {
        value = 0;
        for (; digits > 0; --digits) {
            if (!digit_next()) return false;
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return value <= limit;
    }

    // One to nine digits after the point.
    bool fraction(microseconds& value) {
        std::int64_t micros = 0;
        int digits = 0;
        for (; digit_next(); ++digits, rest_.remove_prefix(1)) {
            if (digits < 6) micros = micros * 10 + (rest_.front() - '0');
        }
        for (int missing = digits; missing < 6; ++missing)
            micros *= 10;
        value = microseconds(micros);
        return digits >= 1 && digits <= 9;
    }

    // "Z", "+hh", "+hhmm", "+hh:mm" or nothing; east of Greenwich is positive.
    bool zone(std::chrono::minutes& offset) {
        if (done() || one_of("Zz")) return true;
        const bool west = rest_.front() == '-';
        int hours = 0;
        int minutes = 0;
        if (!one_of("+-") || !number(2, 23, hours)) return false;
        const bool colon = one_of(":");
        if ((colon || !done()) && !number(2, 59, minutes)) return false;
        offset = std::chrono::minutes(hours * 60 + minutes);
        if (west) offset = -offset;
        return true;
    }

 private:
    std::string_view rest_;
};

void put_number(char* at, int digits, std::int64_t value) {
    for (int i = digits - 1; i >= 0; --i) {
        at[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

}  // namespace

std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text) {
    reader in(text);
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!in.number(4, 9999, year) || !in.one_of("-") || !in.number(2, 12, month) || !in.one_of("-") ||
        !in.number(2, 31, day) || !in.one_of("Tt ") || !in.number(2, 23, hour) || !in.one_of(":") ||
        !in.number(2, 59, minute) || !in.one_of(":") || !in.number(2, 60, second)) {
        return std::nullopt;
    }
    microseconds fraction{0};
    if (in.one_of(".") && !in.fraction(fraction)) return std::nullopt;
    std::chrono::minutes offset{0};
    if (!in.zone(offset) || !in.done()) return std::nullopt;

    const auto date = std::chrono::year(year) / month / day;
    // The system clock counts nanoseconds in 64 bits: 1677 to 2262.
    if (!date.ok() || year < 1678 || year > 2261) return std::nullopt;
    const auto time_of_day =
        std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
    const std::chrono::sys_time<microseconds> t =
        std::chrono::sys_days(date) + time_of_day - offset + fraction;
    return std::chrono::time_point_cast<std::chrono::system_clock::duration>(t);
}

std::string format_time(std::chrono::system_clock::time_point t) {
    const auto whole = std::chrono::floor<microseconds>(t);
    const auto midnight = std::chrono::floor<std::chrono::days>(whole);
    const std::chrono::year_month_day date(midnight);
    const auto of_day = (whole - midnight).count();
    std::string text = "0000-00-00T00:00:00.000000+00:00";
    put_number(&text[0], 4, static_cast<int>(date.year()));
    put_number(&text[5], 2, static_cast<unsigned>(date.month()));
    put_number(&text[8], 2, static_cast<unsigned>(date.day()));
    put_number(&text[11], 2, of_day / 3'600'000'000);
    put_number(&text[14], 2, of_day / 60'000'000 % 60);
    put_number(&text[17], 2, of_day / 1'000'000 % 60);
    put_number(&text[20], 6, of_day % 1'000'000);
    return text;
}

}  // namespace postrider::event
