#include "http/timestamp.hpp"

#include <array>
#include <string_view>

namespace postrider::http {
namespace {

void digits(std::string& out, int value, int width) {
    const auto at = out.size();
    out.append(static_cast<std::size_t>(width), '0');
    for (int i = width - 1; i >= 0; --i, value /= 10) {
        out[at + static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
    }
}

void clock_time(std::string& out, std::chrono::seconds of_day) {
    const auto seconds = static_cast<int>(of_day.count());
    digits(out, seconds / 3600, 2);
    out += ':';
    digits(out, seconds / 60 % 60, 2);
    out += ':';
    digits(out, seconds % 60, 2);
}

}  // namespace

std::string iso_timestamp(core::wall::time_point t) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date(day);
    const auto of_day = std::chrono::floor<core::milliseconds>(t - day);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(of_day);
    std::string out;
    out.reserve(24);
    digits(out, static_cast<int>(date.year()), 4);
    out += '-';
    digits(out, static_cast<int>(static_cast<unsigned>(date.month())), 2);
    out += '-';
    digits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
    out += 'T';
    clock_time(out, seconds);
    out += '.';
    digits(out, static_cast<int>((of_day - seconds).count()), 3);
    out += 'Z';
    return out;
}

std::string date_header(core::wall::time_point t) {
    static constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed",
                                                              "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date(day);
    std::string out;
    out.reserve(29);
    out += weekdays[std::chrono::weekday(day).c_encoding()];
    out += ", ";
    digits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
    out += ' ';
    out += months[static_cast<unsigned>(date.month()) - 1];
    out += ' ';
    digits(out, static_cast<int>(date.year()), 4);
    out += ' ';
    clock_time(out, std::chrono::floor<std::chrono::seconds>(t - day));
    out += " GMT";
    return out;
}

}  // namespace postrider::http
