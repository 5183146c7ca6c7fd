#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "service/configuration.hpp"

namespace postrider::service {

// What every start needs.
inline environment servers() {
    return {{"POSTGRES_URL", "postgresql://u:pw@db/chat"}, {"REDIS_URL", "redis://cache"}, {"BOT_IDS", "b1"}};
}

inline environment with(std::string name, std::string value) {
    auto variables = servers();
    variables.insert_or_assign(std::move(name), std::move(value));
    return variables;
}

inline configuration loaded(const environment& variables, const flags& given = {}) {
    auto c = load_configuration(given, variables);
    REQUIRE_MESSAGE(c.has_value(), c.error().message);
    return std::move(*c);
}

inline std::string refused(const environment& variables, const flags& given = {}) {
    const auto c = load_configuration(given, variables);
    REQUIRE(c.has_error());
    CHECK(c.error().code == core::errc::invalid_input);
    return c.error().message;
}

inline bool warns(const configuration& c, std::string_view words) {
    return std::find(c.warnings.begin(), c.warnings.end(), words) != c.warnings.end();
}

// A folder of its own for a test's files; goes with it.
class scratch_folder {
 public:
    scratch_folder() {
        auto name = (std::filesystem::temp_directory_path() / "postrider-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
        path_ = name;
    }
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    std::string path(const std::string& name) const { return (path_ / name).string(); }
    std::string write(const std::string& name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }

 private:
    std::filesystem::path path_;
};

}  // namespace postrider::service
