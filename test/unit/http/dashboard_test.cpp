#include "http/dashboard.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>

using namespace postrider;

namespace {

// What stands between two marks.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
    const auto begin = text.find(from) + from.size();
    return text.substr(begin, text.find(to, begin) - begin);
}

std::string hash(const std::string& text) {
    unsigned char digest[32], base64[45];
    EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha256(), nullptr);
    EVP_EncodeBlock(base64, digest, 32);
    return "'sha256-" + std::string(base64, base64 + 44) + "'";
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

}  // namespace

TEST_CASE("the page's policy allows its own script and style by their hashes, and nothing beside") {
    const auto page = http::make_dashboard();
    CHECK(page.content_type == "text/html; charset=utf-8");
    const auto script = between(page.body, "<script>", "</script>");
    const auto style = between(page.body, "<style>", "</style>");
    CHECK(script.find("EventSource") != std::string::npos);
    CHECK(style.find("prefers-color-scheme: dark") != std::string::npos);
    REQUIRE(page.fields.size() == 2);
    CHECK(page.fields[0].first == "Content-Security-Policy");
    CHECK(page.fields[0].second ==
          "default-src 'none'; script-src " + hash(script) + "; style-src " + hash(style) +
              "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
              "frame-ancestors 'none'");
    CHECK(page.fields[1] == std::pair<std::string, std::string>("Referrer-Policy", "no-referrer"));
}

TEST_CASE("the page asks no other host and sets no HTML") {
    const auto body = http::make_dashboard().body;
    CHECK(body.find("{{") == std::string::npos);
    CHECK(count(body, "<script") == 1);
    CHECK(count(body, "<style") == 1);
    CHECK(body.find(" style=") == std::string::npos);
    // The name of SVG is no address: once in the icon, once in the script.
    CHECK(count(body, "http://") == count(body, "http://www.w3.org/2000/svg"));
    CHECK(body.find("https://") == std::string::npos);
    for (const auto* sink : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("}) {
        CAPTURE(sink);
        CHECK(body.find(sink) == std::string::npos);
    }
    CHECK(body.find("localStorage") == std::string::npos);
    CHECK(body.find("sessionStorage") == std::string::npos);
}
