#include "core/log_event.hpp"

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <random>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "core/log_sink.hpp"

using namespace postrider::core;
using spdlog::level::level_enum;

namespace {

// What is written while this lives, without the time of a line.
class written {
 public:
    explicit written(log_format format, level_enum level = level_enum::info)
        : before_(spdlog::default_logger()) {
        sink_ = std::make_shared<log_sink>([this](std::string_view text) {
            all.append(text);
            ++writes;
        });
        auto logger = std::make_shared<spdlog::logger>("test", sink_);
        logger->set_formatter(log_formatter(format));
        logger->set_level(level);
        spdlog::set_default_logger(std::move(logger));
    }
    written(const written&) = delete;
    written& operator=(const written&) = delete;
    ~written() { spdlog::set_default_logger(before_); }

    // What is left of the last line behind its time.
    std::string last() const {
        const auto line = all.substr(all.rfind('\n', all.size() - 2) + 1);
        const auto json = line.find("\",\"message\"");
        return json == std::string::npos ? line.substr(25) : line.substr(json + 2);
    }

    std::string all;
    int writes = 0;

 private:
    std::shared_ptr<log_sink> sink_;
    std::shared_ptr<spdlog::logger> before_;
};

}  // namespace

TEST_CASE("fields follow the sentence in text, and are members in JSON") {
    const std::string number_like = "42";
    SUBCASE("text") {
        const written log(log_format::text);
        log_event(level_enum::info, "group pushed",
                  {{"route", "chat"}, {"key", "k 7"}, {"id", number_like}, {"messages", 3U}, {"group", ""}});
        CHECK(log.last() == "INFO  group pushed route=chat key=\"k 7\" id=\"42\" messages=3\n");
        log_event(level_enum::warn, "left out", {{"key", "a"}}, "{\"k\":1} route=forged");
        CHECK(log.last() == "WARNING left out key=a payload={\"k\":1} route=forged\n");
    }
    SUBCASE("JSON") {
        const written log(log_format::json);
        log_event(level_enum::info, "group pushed",
                  {{"route", "chat"}, {"key", "k 7"}, {"id", number_like}, {"messages", 3U}, {"group", ""}});
        CHECK(log.last() == R"("message":"group pushed","route":"chat","key":"k 7","id":"42","messages":3})"
                            "\n");
        log_event(level_enum::warn, "left out", {{"key", "a"}}, "{\"k\":1} route=forged");
        CHECK(log.last() == R"("message":"left out","key":"a","payload":"{\"k\":1} route=forged"})"
                            "\n");
    }
}

TEST_CASE("neither a key nor a sentence can forge a field, a line, or hide one") {
    for (const std::string evil : {"a\" route=forged b=\"", "x\n{\"severity\":\"ERROR\"}", " payload=y", "\\",
                                   "a\\\" b=c", "\x1f\x00z", "=", "\xff"}) {
        CAPTURE(evil);
        const written log(log_format::json);
        log_event(level_enum::info, "s", {{"key", evil}, {"after", "z"}});
        CHECK(log.last().find("route\":") == std::string::npos);
        CHECK(log.last().find("\"payload\":") == std::string::npos);
        CHECK(log.last().ends_with(",\"after\":\"z\"}\n"));
        CHECK(std::count(log.all.begin(), log.all.end(), '\n') == 1);
        log_event(level_enum::info, evil, {{"after", "z"}});
        CHECK(log.last().ends_with("\",\"after\":\"z\"}\n"));
        spdlog::info("plain {} after=z", evil);
        CHECK(log.last().find("\"after\":") == std::string::npos);
        CHECK(std::count(log.all.begin(), log.all.end(), '\n') == 3);
        spdlog::log(spdlog::source_loc{"fields", 5, "f"}, level_enum::info, "plain after=z");
        CHECK(log.last().find("\"after\":") == std::string::npos);
    }
}

TEST_CASE("secrets are left out of the sentence, of each value and of the payload") {
    for (const auto format : {log_format::text, log_format::json}) {
        const written log(format);
        log_event(level_enum::warn, "at redis://u:s3cret@h", {{"to", "redis://u:s3cret@h"}, {"key", "k"}},
                  "password=s3cret and more");
        CHECK(log.all.find("s3cret") == std::string::npos);
        CHECK(log.all.find("key") != std::string::npos);
    }
}

TEST_CASE("a secret that the bound would cut in two is left out whole") {
    const auto long_one = std::string(180, 'k') + " redis://u:s3cret" + std::string(180, 'x') + "@h";
    for (const auto format : {log_format::text, log_format::json}) {
        const written log(format);
        log_event(level_enum::warn, "s", {{"key", long_one}});
        CHECK(log.all.find("redis://***@h") != std::string::npos);
        log_event(level_enum::warn, "s", {}, long_one);
        CHECK(log.last().find("redis://***@h") != std::string::npos);
        CHECK(log.all.find("s3cret") == std::string::npos);
    }
}

TEST_CASE("a value and a payload are bounded, and what is below the level costs nothing") {
    const written log(log_format::text);
    log_event(level_enum::info, "s", {{"key", std::string(5'000, 'k')}}, std::string(5'000, 'p'));
    CHECK(log.last().size() == std::string("INFO  s key= payload=\n").size() + 400);
    log_event(level_enum::debug, "s", {});
    CHECK(log.writes == 1);
}

TEST_CASE("equal warnings are folded, information is not, and the end tells the counts") {
    std::string all;
    {
        written log(log_format::text);
        for (int i = 0; i < 500; ++i) {
            log_event(level_enum::warn, "left out", {{"route", "a"}}, "x");
            log_event(level_enum::warn, "left out", {{"route", "b"}}, std::to_string(i));
            log_event(level_enum::err, "left out", {{"route", "a"}}, "x");
        }
        for (int i = 0; i < 3; ++i)
            spdlog::info("equal");
        CHECK(log.writes == 1 + 10 + 1 + 3);
        spdlog::set_default_logger(std::make_shared<spdlog::logger>("none"));
    }
    // The count keeps level and fields, in both formats, and the sentence is still the one that was counted.
    std::string text;
    {
        log_sink sink([&](std::string_view more) { text.append(more); });
        sink.set_formatter(log_formatter(log_format::json));
        for (int i = 0; i < 215; ++i)
            sink.log({fields_behind(4), "", level_enum::err, "lost key=\"k 7\" n=2"});
        CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    }
    CHECK(text.find(R"({"severity":"ERROR","time":")", 1) != std::string::npos);
    CHECK(text.find("\"message\":\"lost … repeated 214 times in ") != std::string::npos);
    CHECK(text.ends_with(",\"key\":\"k 7\",\"n\":2,\"repeated\":214}\n"));
}

TEST_CASE("lines that are held together are written together, in order") {
    written log(log_format::text);
    {
        const log_together one;
        const log_together inner;
        for (int i = 0; i < 100; ++i)
            log_event(level_enum::info, "n", {{"n", static_cast<std::uint64_t>(i)}});
        CHECK(log.writes == 0);
    }
    CHECK(log.writes == 1);
    CHECK(std::count(log.all.begin(), log.all.end(), '\n') == 100);
    CHECK(log.last() == "INFO  n n=99\n");
    const log_together one;
    for (int i = 0; i < 10'000; ++i)
        log_event(level_enum::info, "n", {});
    CHECK(log.writes > 2);
}
