#include "support/chromedriver.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/json/src.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/uninterrupted.hpp"

namespace postrider::support {
namespace {

namespace json = boost::json;

constexpr long longest_answer = 120;  // seconds; a browser under a sanitizer's load starts slowly

process::settings program(std::uint16_t port, const std::string& folder) {
    process::settings s;
    s.arguments = {"chromedriver", "--port=" + std::to_string(port), "--log-level=WARNING"};
    s.environment = {{"HOME", folder}, {"TMPDIR", folder}};
    return s;
}

json::value capabilities(const std::string& folder) {
    json::array arguments{"--headless=new",          "--no-sandbox",
                          "--disable-dev-shm-usage", "--disable-gpu",
                          "--hide-scrollbars",       "--no-first-run",
                          "--disable-extensions",    "--disable-background-networking",
                          "--disable-sync",          "--disable-component-update",
                          "--window-size=1440,900",  json::string("--user-data-dir=" + folder + "/profile")};
    // Through a pipe, so that the browser ends with its driver, however that ends.
    arguments.emplace_back("--remote-debugging-pipe");
    json::object chrome{{"args", std::move(arguments)}};
    json::object logs{{"browser", "ALL"}};
    json::object always{{"browserName", "chrome"},
                        {"goog:chromeOptions", std::move(chrome)},
                        {"goog:loggingPrefs", std::move(logs)}};
    return json::object{{"capabilities", json::object{{"alwaysMatch", std::move(always)}}}};
}

class connection {
 public:
    explicit connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval limit{longest_answer, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = htons(port);
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return;
        ::close(socket_);
        throw std::runtime_error("chromedriver cannot be reached");
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { ::close(socket_); }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent =
                uninterrupted([&] { return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
            if (sent <= 0) throw std::runtime_error("chromedriver went away");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void receive_into(std::string& text) {
        char part[16384];
        const auto got = uninterrupted([&] { return ::recv(socket_, part, sizeof part, 0); });
        if (got <= 0) throw std::runtime_error("chromedriver does not answer");
        text.append(part, static_cast<std::size_t>(got));
    }

 private:
    int socket_;
};

// The body of one answer; chromedriver always names its length.
std::string exchange(std::uint16_t port, std::string_view method, const std::string& path,
                     const std::string& body) {
    connection driver(port);
    driver.send(std::string(method) + ' ' + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    constexpr std::string_view length_name = "\r\nContent-Length:";
    std::string text;
    std::size_t end = 0;
    while ((end = text.find("\r\n\r\n")) == std::string::npos)
        driver.receive_into(text);
    const auto at = text.find(length_name);
    if (at == std::string::npos || at > end) throw std::runtime_error("chromedriver names no length");
    const auto length = std::strtoul(text.c_str() + at + length_name.size(), nullptr, 10);
    while (text.size() < end + 4 + length)
        driver.receive_into(text);
    return text.substr(end + 4, length);
}

// RFC 4648, section 4.
std::string from_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    unsigned bits = 0;
    int held = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos) break;
        bits = bits << 6 | static_cast<unsigned>(value);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes.push_back(static_cast<char>(bits >> held & 0xFF));
    }
    return bytes;
}

}  // namespace

chromedriver::chromedriver() : port_(free_port()), driver_(program(port_, folder_.path())) {
    if (!driver_.wait_for_output("started successfully", std::chrono::seconds(60)))
        throw std::runtime_error("chromedriver does not start: " + driver_.output());
    // A browser's first start, from a cold disk, may take longer than its driver waits.
    for (int attempt = 1; session_.empty(); ++attempt) {
        try {
            const auto made = ask("POST", "/session", capabilities(folder_.path()));
            session_ = made.at("sessionId").as_string().c_str();
        } catch (const std::runtime_error&) {
            if (attempt == 3) throw;
        }
    }
}

bool chromedriver::is_installed() {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (::access((folder + "/chromedriver").c_str(), X_OK) == 0) return true;
    return false;
}

chromedriver::~chromedriver() {
    // The browser is the driver's child, so the driver has to end it.
    try {
        if (!session_.empty()) ask("DELETE", "/session/" + session_, nullptr);
    } catch (const std::runtime_error&) {
        driver_.signal(SIGTERM);
    }
}

json::value chromedriver::ask(std::string_view method, const std::string& path, const json::value& body) {
    const auto text = exchange(port_, method, path, method == "POST" ? json::serialize(body) : "");
    auto value = json::parse(text).at("value");
    if (value.is_object() && value.as_object().contains("error"))
        throw std::runtime_error("chromedriver: " + path + ": " +
                                 std::string(value.at("message").as_string().c_str()));
    return value;
}

json::value chromedriver::session(const std::string& path, const json::value& body) {
    return ask("POST", "/session/" + session_ + path, body);
}

void chromedriver::open(const std::string& url) {
    session("/url", json::object{{"url", url}});
}

json::value chromedriver::run(std::string_view body, json::array arguments) {
    return session("/execute/sync", json::object{{"script", body}, {"args", std::move(arguments)}});
}

std::string chromedriver::text(std::string_view selector) {
    const auto found =
        run("const e = document.querySelector(arguments[0]); return e ? e.textContent : ''", {selector});
    return found.as_string().c_str();
}

bool chromedriver::shows(std::string_view selector, std::string_view part, std::chrono::seconds limit) {
    return eventually([&] { return text(selector).find(part) != std::string::npos; }, limit);
}

std::string chromedriver::element(std::string_view selector) {
    const auto found = session("/element", json::object{{"using", "css selector"}, {"value", selector}});
    // Under the one key that the standard gives it.
    return found.as_object().begin()->value().as_string().c_str();
}

void chromedriver::click(std::string_view selector) {
    session("/element/" + element(selector) + "/click", json::object{});
}

void chromedriver::type(std::string_view selector, const std::string& words) {
    session("/element/" + element(selector) + "/value", json::object{{"text", words}});
}

void chromedriver::devtools(std::string_view command, json::object parameters) {
    session("/goog/cdp/execute", json::object{{"cmd", command}, {"params", std::move(parameters)}});
}

void chromedriver::screen(int width, int height, bool phone) {
    devtools("Emulation.setDeviceMetricsOverride",
             {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", phone}});
}

void chromedriver::dark(bool on) {
    json::object scheme{{"name", "prefers-color-scheme"}, {"value", on ? "dark" : "light"}};
    devtools("Emulation.setEmulatedMedia", {{"features", json::array{std::move(scheme)}}});
}

std::vector<std::string> chromedriver::errors() {
    std::vector<std::string> found;
    const auto log = session("/se/log", json::object{{"type", "browser"}});
    for (const auto& entry : log.as_array())
        if (entry.at("level") == "SEVERE") found.emplace_back(entry.at("message").as_string().c_str());
    return found;
}

void chromedriver::screenshot(const std::string& path) {
    const auto shot = ask("GET", "/session/" + session_ + "/screenshot", nullptr);
    const std::string text = shot.as_string().c_str();
    const auto png = from_base64(shot.as_string());
    std::ofstream(path, std::ios::binary) << png;
}

}  // namespace postrider::support
