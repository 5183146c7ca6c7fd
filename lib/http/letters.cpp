#include "http/letters.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "core/duration.hpp"
#include "http/answer.hpp"
#include "http/json.hpp"
#include "http/target.hpp"
#include "http/timestamp.hpp"

namespace postrider::http {
namespace {

constexpr std::string_view root = "/dead-letters";
constexpr std::size_t most_letters = 500;

std::array<unsigned char, EVP_MAX_MD_SIZE> digest(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    EVP_Digest(text.data(), text.size(), bytes.data(), nullptr, EVP_sha256(), nullptr);
    return bytes;
}

bool is_id(std::string_view text) {
    if (text.starts_with('m')) text.remove_prefix(1);
    return !text.empty() && text.size() <= 18 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

core::failure wrong(std::string_view name, std::string_view words) {
    return {core::errc::invalid_input, std::string(name).append(": ").append(words)};
}

core::result<void> take_parameter(letter_query& q, std::string_view name, const std::string& value) {
    if (name == "route" || name == "reason") {
        (name == "route" ? q.route : q.reason) = value;
    } else if (name == "older_than" || name == "newer_than") {
        const auto age = core::parse_duration(value);
        if (!age) return wrong(name, age.error().message);
        (name == "older_than" ? q.older_than : q.newer_than) = *age;
    } else if (name == "id") {
        if (!is_id(value)) return wrong(name, "not a letter's id; write for example id=17");
        q.ids.push_back(value);
    } else if (name == "after") {
        if (!is_id(value)) return wrong(name, "not a letter's id; write the 'next' of the page before");
        q.after = value;
    } else if (name == "limit") {
        const auto* end = value.data() + value.size();
        const auto [stop, error] = std::from_chars(value.data(), end, q.limit);
        if (error != std::errc{} || stop != end || q.limit == 0 || q.limit > most_letters)
            return wrong(name, "must be a number from 1 to 500");
    } else {
        return wrong(name, "unknown; known are route, reason, id, older_than, newer_than, after and limit");
    }
    return boost::system::in_place_value;
}

// What stands before and behind the first mark.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char mark) {
    const auto at = text.find(mark);
    if (at == std::string_view::npos) return {text, {}};
    return {text.substr(0, at), text.substr(at + 1)};
}

// Decoded as a path is; a plus sign is a blank (forms of HTML, "application/x-www-form-urlencoded").
std::optional<std::string> decoded(std::string_view text) {
    std::string path = "/";
    path += text;
    std::replace(path.begin(), path.end(), '+', ' ');
    auto read = parse_target(path);
    if (!read || !read->query.empty()) return std::nullopt;
    return read->path.substr(1);
}

void write(json_writer& json, const letter& l) {
    json.object().key("id").string(l.id).key("kind").string(l.kind).key("route").string(l.route);
    json.key("channel").string(l.channel).key("key").string(l.key).key("reason").string(l.reason);
    json.key("error").string(l.error).key("attempts").count(l.attempts);
    json.key("first").string(iso_timestamp(l.first)).key("last").string(iso_timestamp(l.last));
    if (!l.target.empty()) {
        json.key("target").object().key("kind").string(l.target_kind).key("name").string(l.target);
        json.end_object();
    }
    json.key("payload").string(l.payload).end_object();
}

response refuse_stranger() {
    auto r = error_response(401, "send the admin token: Authorization: Bearer …");
    r.authenticate = "Bearer realm=\"postrider\"";
    return r;
}

response refuse_method(std::string allow) {
    auto r = error_response(405, "this endpoint answers to " + allow + " only");
    r.allow = std::move(allow);
    return r;
}

response tell(const letter_answer& answered, const std::string& id, std::string_view done) {
    switch (answered.outcome) {
        case letter_outcome::done: {
            response r;
            r.body =
                json_writer().object().key("id").string(id).key("status").string(done).end_object().take();
            return r;
        }
        case letter_outcome::unknown:
            return error_response(404, "there is no dead letter " + id);
        case letter_outcome::busy:
        case letter_outcome::refused:
            return error_response(409, answered.words);
        case letter_outcome::away:
            break;
    }
    return error_response(503, answered.words);
}

asio::awaitable<response> list(const view& v, std::string query) {
    auto asked = read_letter_query(query);
    if (!asked) co_return error_response(400, asked.error().message);
    auto wanted = std::move(*asked);
    auto page = co_await v.letters(std::move(wanted));
    if (!page) co_return error_response(503, page.error().message);
    response r;
    r.body = letters_body(*page);
    co_return r;
}

asio::awaitable<response> one(const view& v, std::string method, std::string rest) {
    const bool replay = rest.ends_with("/replay");
    const std::string id(std::string_view(rest).substr(0, rest.size() - (replay ? 7 : 0)));
    if (!is_id(id)) co_return error_response(404, "there is no such endpoint");
    if (replay && method != "POST") co_return refuse_method("POST");
    if (!replay && method != "DELETE") co_return refuse_method("DELETE");
    auto asked = id;
    if (replay) {
        const auto answered = co_await v.replay_letter(std::move(asked));
        co_return tell(answered, id, "replayed");
    }
    const auto answered = co_await v.drop_letter(std::move(asked));
    co_return tell(answered, id, "dropped");
}

asio::awaitable<response> answer_now(response r) {
    co_return r;
}

}  // namespace

bool is_authorized(const std::string& header, const std::string& token) {
    constexpr std::string_view scheme = "bearer ";
    const auto same = [](char known, char c) {
        return known == (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    };
    if (token.empty() || header.size() < scheme.size()) return false;
    if (!std::equal(scheme.begin(), scheme.end(), header.begin(), same)) return false;
    const auto given = digest(std::string_view(header).substr(scheme.size()));
    const auto wanted = digest(token);
    return CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
}

bool is_letter_path(std::string_view path) {
    return path == root || (path.starts_with(root) && path[root.size()] == '/');
}

asio::awaitable<response> answer_letters(const view& v, request asked) {
    if (v.admin_token.empty())
        return answer_now(error_response(404, "there is no such endpoint; it needs ADMIN_TOKEN to be set"));
    if (!is_authorized(asked.authorization, v.admin_token)) return answer_now(refuse_stranger());
    if (asked.path != root) return one(v, asked.method, asked.path.substr(root.size() + 1));
    if (asked.method != "GET" && asked.method != "HEAD") return answer_now(refuse_method("GET, HEAD"));
    return list(v, asked.query);
}

core::result<letter_query> read_letter_query(std::string_view query) {
    letter_query q;
    std::string_view pair;
    while (!query.empty()) {
        std::tie(pair, query) = cut(query, '&');
        if (pair.empty()) continue;
        const auto [name, text] = cut(pair, '=');
        const auto value = decoded(text);
        if (!value) return wrong(name, "is not percent-encoded as it should be");
        auto taken = take_parameter(q, name, *value);
        if (!taken) return taken.error();
    }
    return q;
}

std::string letters_body(const letter_page& page) {
    json_writer json;
    json.object().key("store").string(page.store).key("letters").array();
    for (const auto& l : page.letters)
        write(json, l);
    json.end_array().key("next");
    if (page.more && !page.letters.empty()) {
        json.string(page.letters.back().id);
    } else {
        json.null();
    }
    return json.end_object().take();
}

std::string letter_json(const letter& l) {
    json_writer json;
    write(json, l);
    return json.take();
}

}  // namespace postrider::http
