#include "service/toml_file.hpp"

#include "configuration_fixture.hpp"

using namespace postrider::service;

namespace {

std::string error_of(std::string_view text) {
    const auto file = parse_toml(text, "p.toml");
    REQUIRE(file.has_error());
    return file.error().message;
}

}  // namespace

TEST_CASE("a file's values are text, with their lines and in their order") {
    const auto file = parse_toml(
        "[http]\nport = 8_080\nz = 'zed'\na = 0.5\n\n[log]\nflag = true\nday = 2026-11-21\n", "p.toml");
    REQUIRE(file.has_value());
    REQUIRE(file->tables.size() == 2);
    const auto* http = file->find("http");
    REQUIRE(http != nullptr);
    CHECK(http->line == 1);
    REQUIRE(http->values.size() == 3);
    CHECK(http->values[0].key == "port");
    CHECK(http->values[0].text == "8080");
    CHECK(http->values[1].key == "z");
    CHECK(http->values[1].line == 3);
    CHECK(http->values[2].text == "0.5");
    CHECK(file->find("log")->find("flag")->text == "true");
    CHECK(file->find("log")->find("day")->text == "2026-11-21");
    CHECK(file->find("none") == nullptr);
    CHECK(http->find("none") == nullptr);
    CHECK(file->place(3) == "p.toml:3");
}

TEST_CASE("routes, lists and tables keep the order in which they were written") {
    const auto file = parse_toml(
        "[[route]]\nfields = { z = '/1', a = '/2' }\nbots = ['y', 'x']\n[[route]]\n[route.fields]\nq = "
        "'/1'\nb = '/2'\n",
        "p.toml");
    REQUIRE(file.has_value());
    REQUIRE(file->routes.size() == 2);
    CHECK(file->routes[1].line == 4);
    const auto* fields = file->routes[0].find("fields");
    CHECK(fields->shape == file_value::kind::table);
    CHECK(fields->items == std::vector<std::pair<std::string, std::string>>{{"z", "/1"}, {"a", "/2"}});
    const auto* bots = file->routes[0].find("bots");
    CHECK(bots->shape == file_value::kind::list);
    CHECK(bots->items == std::vector<std::pair<std::string, std::string>>{{"", "y"}, {"", "x"}});
    CHECK(file->routes[1].find("fields")->items ==
          std::vector<std::pair<std::string, std::string>>{{"q", "/1"}, {"b", "/2"}});
}

TEST_CASE("what is not TOML is refused with its line, and without what stands there") {
    const auto words = error_of("[redis]\nurl = redis://u:s3cret@h\n");
    CHECK(words.starts_with("p.toml:2: not valid TOML: "));
    CHECK(words.ends_with("; text, and durations with a unit, stand in quotes"));
    CHECK(words.find("s3cret") == std::string::npos);
    CHECK(error_of("[a]\n\nx = 15s\n").starts_with("p.toml:3: not valid TOML: "));
    CHECK(error_of("\xFF\xFE").starts_with("p.toml:1: not valid TOML: "));
}

TEST_CASE("every wrong shape in the file is named") {
    CHECK(error_of("port = 1\nname = 'x'\n") ==
          "p.toml:1: 'port' stands outside of a table; put it under [postgres], [redis], [http], [log], "
          "[context] or "
          "[[route]]\n"
          "p.toml:2: 'name' stands outside of a table; put it under [postgres], [redis], [http], [log], "
          "[context] or "
          "[[route]]");
    CHECK(error_of("[route]\nname = 'x'\n") == "p.toml:1: write [[route]], in two pairs of brackets");
    CHECK(error_of("route = ['x']\n") == "p.toml:1: write each route as a table headed by [[route]]");
    CHECK(error_of("[a]\nx = [['y']]\n") == "p.toml:2: a list holds single values only");
    CHECK(error_of("[a]\nx = { y = ['z'] }\n") == "p.toml:2: 'y' must be a single value");
}

TEST_CASE("a file past 1 MiB, a folder and a missing file are refused") {
    const scratch_folder folder;
    const std::string comment = "#" + std::string((1 << 20) - 1, 'x');
    CHECK(read_toml_file(folder.write("fits.toml", comment)).has_value());
    const auto large = folder.write("large.toml", comment + "x");
    REQUIRE(read_toml_file(large).has_error());
    CHECK(read_toml_file(large).error().message == large +
                                                       ": cannot be read: it is larger than 1 MiB; name a "
                                                       "readable file with --config or POSTRIDER_CONFIG");
    const auto missing = read_toml_file(folder.path("none.toml"));
    REQUIRE(missing.has_error());
    CHECK(missing.error().message.find("No such file or directory") != std::string::npos);
    const auto directory = read_toml_file(folder.path(""));
    REQUIRE(directory.has_error());
    CHECK(directory.error().message.find("Is a directory") != std::string::npos);
}
