#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netdb.h>

#include <condition_variable>
#include <mutex>
#include <string_view>

#include "driven_client.hpp"

using namespace postrider;
using namespace postrider::test;

namespace {

constexpr auto hanging_host = "hanging.test";

// Lookups of the hanging host stay in the resolver as long as this lives, as with a name server that is away.
class hanging_lookups {
 public:
    hanging_lookups() { set(true); }
    hanging_lookups(const hanging_lookups&) = delete;
    hanging_lookups& operator=(const hanging_lookups&) = delete;
    ~hanging_lookups() {
        set(false);
        std::unique_lock lock(guard);
        changed.wait(lock, [] { return inside == 0; });
    }

    static int running() {
        const std::lock_guard lock(guard);
        return inside;
    }

    static void stay() {
        std::unique_lock lock(guard);
        ++inside;
        changed.wait(lock, [] { return !hanging; });
        --inside;
        changed.notify_all();
    }

 private:
    static void set(bool on) {
        const std::lock_guard lock(guard);
        hanging = on;
        changed.notify_all();
    }

    static inline std::mutex guard;
    static inline std::condition_variable changed;
    static inline bool hanging = false;
    static inline int inside = 0;
};

redis::options unresolvable() {
    auto o = quick(6379);
    o.host = hanging_host;
    return o;
}

}  // namespace

// Takes the place of the C library's function in this program.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
    if (node != nullptr && std::string_view(node) == hanging_host) {
        hanging_lookups::stay();
        return EAI_AGAIN;
    }
    static const auto next = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
    return next(node, service, hints, found);
}

TEST_CASE("stop() does not wait for a name lookup that hangs") {
    auto o = unresolvable();
    o.connect_timeout = 1h;
    const hanging_lookups hang;
    driven_client client(o);
    REQUIRE(client.until([] { return hanging_lookups::running() == 1; }));
    client->stop();
    CHECK(client.until([&] { return client.ended(); }));
    CHECK(hanging_lookups::running() == 1);
}

TEST_CASE("a name lookup that hangs fails the attempt by the connect deadline") {
    auto o = unresolvable();
    o.connect_timeout = 100ms;
    const hanging_lookups hang;
    driven_client client(o);
    REQUIRE(client.until([&] { return client->current().attempts > 0; }));
    CHECK(hanging_lookups::running() >= 1);
    const std::string cause = client->current().last_error;
    CAPTURE(cause);
    CHECK(cause.find("the name lookup of 'hanging.test' took too long") != std::string::npos);
}
