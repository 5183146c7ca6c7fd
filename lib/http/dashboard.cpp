#include "http/dashboard.hpp"

#include <openssl/evp.h>

#include <array>
#include <string_view>

#include "http/dashboard_text.hpp"

namespace postrider::http {
namespace {

// As a Content-Security-Policy names an inline element by its text (CSP level 3, section 2.3.1).
std::string hash_source(std::string_view text) {
    std::array<unsigned char, 32> digest{};
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    std::array<unsigned char, 45> base64{};  // 44 and the terminating zero
    const auto length = EVP_EncodeBlock(base64.data(), digest.data(), digest.size());
    std::string source = "'sha256-";
    source.append(base64.begin(), base64.begin() + length);
    return source += '\'';
}

void put(std::string& page, std::string_view mark, std::string_view text) {
    page.replace(page.find(mark), mark.size(), text);
}

}  // namespace

response make_dashboard() {
    std::string script;
    for (const auto part : {chart_text, letters_text, script_text})
        script += part;
    response r;
    r.content_type = "text/html; charset=utf-8";
    r.body = page_text;
    put(r.body, "{{style}}", style_text);
    put(r.body, "{{script}}", script);
    r.fields.emplace_back("Content-Security-Policy",
                          "default-src 'none'; script-src " + hash_source(script) + "; style-src " +
                              hash_source(style_text) +
                              "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                              "frame-ancestors 'none'");
    r.fields.emplace_back("Referrer-Policy", "no-referrer");
    return r;
}

}  // namespace postrider::http
