#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/folder.hpp"
#include "support/process.hpp"

namespace postrider::support {

// A headless Chromium of its own, driven through Debian's chromedriver (https://www.w3.org/TR/webdriver2/).
// Failures, those of scripts included, throw std::runtime_error with the driver's words.
class chromedriver {
 public:
    chromedriver();
    chromedriver(const chromedriver&) = delete;
    chromedriver& operator=(const chromedriver&) = delete;
    ~chromedriver();

    static bool is_installed();  // the driver, in PATH; Debian's brings the browser with it

    void open(const std::string& url);  // returns when the page is loaded

    // What the body of a JavaScript function returns; `arguments` in it are those given.
    boost::json::value run(std::string_view body, boost::json::array arguments = {});
    // The text of the first element that the CSS selector finds, "" where there is none.
    std::string text(std::string_view selector);
    // Waits until that text holds the part; false after the limit.
    bool shows(std::string_view selector, std::string_view part,
               std::chrono::seconds limit = std::chrono::seconds(60));

    // As a user does it: the element must be visible.
    void click(std::string_view selector);
    void type(std::string_view selector, const std::string& words);

    // The page's size in CSS pixels, as on a screen of that size.
    void screen(int width, int height, bool phone = false);
    void dark(bool on);

    // Errors that the browser has written since the last call, those of the Content-Security-Policy included.
    std::vector<std::string> errors();

    // Of what the screen shows, as PNG.
    void screenshot(const std::string& path);

 private:
    boost::json::value ask(std::string_view method, const std::string& path, const boost::json::value& body);
    boost::json::value session(const std::string& path, const boost::json::value& body);
    std::string element(std::string_view selector);
    void devtools(std::string_view command, boost::json::object parameters);

    temporary_folder folder_;
    std::uint16_t port_;
    process driver_;
    std::string session_;
};

}  // namespace postrider::support
