#include "running_postrider.hpp"

#include <algorithm>
#include <csignal>

#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/usage.hpp"

namespace postrider::test {

running_postrider::running_postrider(postrider_settings wanted, const std::string& command)
    : settings_(std::move(wanted)), command_(command), port_(support::free_port()) {
    start();
}

void running_postrider::start() {
    support::process::settings program;
    program.arguments = {POSTRIDER_PROGRAM, command_};
    program.environment = {{"PORT", std::to_string(port_)}};
    if (settings_.reconnects_quickly) {
        program.environment.emplace_back("REDIS_BACKOFF_FIRST", "100ms");
        program.environment.emplace_back("REDIS_BACKOFF_CAP", "500ms");
    }
    if (!settings_.postgres_url.empty())
        program.environment.emplace_back("POSTGRES_URL", settings_.postgres_url);
    if (!settings_.redis_url.empty()) program.environment.emplace_back("REDIS_URL", settings_.redis_url);
    if (!settings_.file.empty()) {
        program.arguments.emplace_back("--config");
        program.arguments.push_back(folder_.write("postrider.toml", settings_.file));
    }
    program.environment.insert(program.environment.end(), settings_.environment.begin(),
                               settings_.environment.end());
    program_.reset();
    program_ = std::make_unique<support::process>(std::move(program));
}

bool running_postrider::is_ready() const {
    return get("/health/readiness").status == 200;
}

bool running_postrider::becomes_ready(std::chrono::seconds limit) {
    bool ready = false;
    support::eventually([&] { return (ready = is_ready()) || program_->try_wait().has_value(); }, limit);
    return ready;
}

bool running_postrider::answers(std::string_view path, std::string_view text,
                                std::chrono::seconds limit) const {
    return support::eventually([&] { return get(path).body.find(text) != std::string::npos; }, limit);
}

std::size_t running_postrider::database_reconnects() const {
    const std::string name = R"("database_reconnects":)";
    const auto stats = get("/stats").body;
    const auto at = stats.find(name);
    return at == std::string::npos ? 0 : std::stoul(stats.substr(at + name.size()));
}

bool running_postrider::reconnects_after(std::size_t before) const {
    return support::eventually([&] { return database_reconnects() > before; });
}

bool running_postrider::is(std::string_view role) const {
    const auto readiness = get("/health/readiness");
    const auto words = R"("role":")" + std::string(role) + '"';
    return readiness.status == 200 && readiness.body.find(words) != std::string::npos;
}

bool running_postrider::becomes(std::string_view role, std::chrono::seconds limit) const {
    return support::eventually([&] { return is(role); }, limit);
}

std::string running_postrider::end_of_log() const {
    const std::string all = log();
    return all.substr(all.size() - std::min<std::size_t>(all.size(), 6'000));
}

std::size_t running_postrider::resident_bytes() const {
    return support::resident_bytes(program_->pid());
}

std::size_t running_postrider::peak_bytes() const {
    return support::peak_bytes(program_->pid());
}

std::size_t running_postrider::open_descriptors() const {
    return support::open_descriptors(program_->pid());
}

void running_postrider::kill() {
    signal(SIGKILL);
    ends();
}

void running_postrider::kill_and_start() {
    kill();
    start();
}

}  // namespace postrider::test
