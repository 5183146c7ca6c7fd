#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "driven_client.hpp"
#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/ports.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::certificates;
using support::redis_server;
using support::temporary_folder;

namespace {

struct tls_server {
    temporary_folder folder;
    certificates files;
    redis_server server;

    explicit tls_server(const std::string& name = "localhost") : files(folder, name), server(settings()) {}

    redis_server::settings settings() const {
        redis_server::settings wanted;
        wanted.tls = &files;
        return wanted;
    }

    redis::options options() const {
        auto o = quick(server.tls_port());
        o.tls = true;
        o.ca_file = files.ca;
        return o;
    }
};

void check_fails(const redis::options& o, const std::vector<std::string>& words) {
    driven_client client(o);
    REQUIRE(client.until([&] { return client->current().attempts > 0; }));
    const std::string& cause = client->current().last_error;
    CAPTURE(cause);
    for (const std::string& part : words) {
        CAPTURE(part);
        CHECK(cause.find(part) != std::string::npos);
    }
}

void check_works(const redis::options& o) {
    driven_client client(o);
    REQUIRE_MESSAGE(client.until_connected(), client.log().text());
    CHECK(client.ask({"ECHO", "hello"}).text == "hello");
}

// Shakes hands with the first client, and takes down the name that it asked for.
asio::awaitable<void> shake_hands(asio::ip::tcp::acceptor& acceptor, asio::ssl::context& tls,
                                  std::optional<std::string>& asked) {
    asio::ssl::stream<asio::ip::tcp::socket> peer(acceptor.get_executor(), tls);
    co_await acceptor.async_accept(peer.next_layer(), asio::use_awaitable);
    const auto [error] =
        co_await peer.async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::use_awaitable));
    CHECK(!error);
    const char* const name = SSL_get_servername(peer.native_handle(), TLSEXT_NAMETYPE_host_name);
    asked = name != nullptr ? name : "";
}

// What the client sends in its hello as the server's name.
std::string asked_name(const std::string& host, const std::string& server_name) {
    const temporary_folder folder;
    const certificates shown(folder);
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain_file(shown.cert);
    tls.use_private_key_file(shown.key, asio::ssl::context::pem);
    auto o = quick(support::free_port());
    o.tls = true;
    o.verify = redis::verification::none;
    o.host = host;
    o.server_name = server_name;
    driven_client client(o);
    // The loop has not turned yet, so that the client finds somebody listening.
    asio::ip::tcp::acceptor acceptor(client.loop(), {asio::ip::address_v4::loopback(), o.port});
    std::optional<std::string> asked;
    asio::co_spawn(client.loop(), shake_hands(acceptor, tls, asked),
                   [](const std::exception_ptr& error) { CHECK(!error); });
    // The coroutine refers to this frame.
    if (!client.until([&] { return asked.has_value(); }, 60s)) std::abort();
    return *asked;
}

}  // namespace

TEST_CASE("the server is told which name is expected of it, unless that is an address") {
    CHECK(asked_name("localhost", "") == "localhost");
    CHECK(asked_name("localhost", "redis.internal") == "redis.internal");
    CHECK(asked_name("127.0.0.1", "redis.internal") == "redis.internal");
    CHECK(asked_name("127.0.0.1", "") == "");
}

TEST_CASE("a certificate of a known authority is accepted, by name and by address") {
    tls_server at;
    auto o = at.options();
    check_works(o);
    o.host = "localhost";
    check_works(o);
}

TEST_CASE("the expected name can differ from the host that is connected to") {
    tls_server at("redis.internal");
    auto o = at.options();
    o.server_name = "redis.internal";
    check_works(o);
}

TEST_CASE("a certificate of an unknown authority is refused with the setting to mend") {
    tls_server at;
    auto o = at.options();
    o.ca_file.clear();
    check_fails(
        o, {"TLS: the certificate of '127.0.0.1' comes from an unknown authority", "set REDIS_SSL_CA_CERTS"});
    temporary_folder elsewhere;
    certificates others(elsewhere);
    o.ca_file = others.ca;
    check_fails(o, {"comes from an unknown authority", "'" + others.ca + "' does not hold the authority"});
}

TEST_CASE("a certificate for another name is refused with both names") {
    tls_server at("redis.internal");
    auto o = at.options();
    check_fails(o, {"TLS: the certificate is not for '127.0.0.1' but for redis.internal", "REDIS_URL"});
    o.host = "localhost";
    check_fails(o, {"TLS: the certificate is not for 'localhost' but for redis.internal"});
}

TEST_CASE("without verification any certificate will do") {
    tls_server at("redis.internal");
    auto o = at.options();
    o.ca_file.clear();
    o.verify = redis::verification::none;
    check_works(o);
}

TEST_CASE("files that cannot be read are named") {
    tls_server at;
    auto o = at.options();
    o.ca_file = at.folder.path() + "/missing.pem";
    check_fails(o, {"REDIS_SSL_CA_CERTS", o.ca_file});
    o.ca_file = at.folder.write("empty.pem", "not a certificate");
    check_fails(o, {"REDIS_SSL_CA_CERTS", o.ca_file});
    o = at.options();
    o.cert_file = at.folder.path() + "/client.crt";
    o.key_file = at.files.key;
    check_fails(o, {"ssl_certfile", o.cert_file});
}

TEST_CASE("a certificate that was mended on disk works at the next attempt") {
    tls_server at;
    auto o = at.options();
    o.ca_file = at.folder.path() + "/later.pem";
    driven_client client(o);
    REQUIRE(client.until([&] { return client->current().attempts > 0; }));
    REQUIRE(::link(at.files.ca.c_str(), o.ca_file.c_str()) == 0);
    CHECK(client.until_connected());
}

TEST_CASE("a server that asks for a client certificate gets it") {
    temporary_folder folder;
    certificates files(folder);
    redis_server::settings wanted;
    wanted.tls = &files;
    wanted.arguments = {"--tls-auth-clients", "yes"};
    redis_server server(wanted);
    auto o = quick(server.tls_port());
    o.tls = true;
    o.ca_file = files.ca;
    driven_client without(o);
    REQUIRE(without.until([&] { return without->current().attempts > 0; }));
    CHECK_FALSE(without->connected());
    const auto mine = files.make_client();
    o.cert_file = mine.cert;
    o.key_file = mine.key;
    check_works(o);
}

TEST_CASE("TLS to a plain port, and plain to a TLS port, fail in words within the deadline") {
    tls_server at;
    auto o = at.options();
    o.port = at.server.port();
    o.connect_timeout = 2s;
    check_fails(o, {"TLS: ", "speak TLS on this port"});
    o = at.options();
    o.tls = false;
    check_fails(o, {"rediss://"});
}

TEST_CASE("a TLS handshake that is never answered ends with its deadline") {
    tls_server at;
    support::tcp_gate gate(at.server.tls_port());
    gate.stall();
    auto o = at.options();
    o.port = gate.port();
    o.connect_timeout = 200ms;
    check_fails(o, {"TLS: no handshake within 200 ms"});
}

TEST_CASE("large commands and replies pass TLS whole, in both directions at once") {
    tls_server at;
    driven_client client(at.options());
    REQUIRE(client.until_connected());
    std::string text(3 << 20, 'x');
    for (std::size_t i = 0; i < text.size(); i += 1'000)
        text[i] = static_cast<char>('a' + i / 1'000 % 26);
    redis::pipeline p;
    for (int i = 0; i < 5; ++i)
        p.add({"ECHO", text});
    const auto answer = client.execute(std::move(p));
    REQUIRE(answer.has_value());
    REQUIRE(answer->size() == 5);
    for (const auto& r : *answer)
        CHECK((r.text == text));
}
