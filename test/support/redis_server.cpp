#include "support/redis_server.hpp"

#include <hiredis/hiredis.h>

#include <csignal>
#include <stdexcept>
#include <string_view>

#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/proc.hpp"

namespace postrider::support {
namespace {

struct free_reply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using reply = std::unique_ptr<redisReply, free_reply>;

// Empty when the connection broke; the reason is then in context->errstr.
reply send(redisContext& context, const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
        texts.push_back(word.data());
        sizes.push_back(word.size());
    }
    return reply(static_cast<redisReply*>(
        redisCommandArgv(&context, static_cast<int>(words.size()), texts.data(), sizes.data())));
}

std::string_view text_of(const redisReply& from) {
    return {from.str, from.len};
}

void flatten(const redisReply& from, std::vector<std::string>& into) {
    switch (from.type) {
        case REDIS_REPLY_ARRAY:
            for (std::size_t i = 0; i < from.elements; ++i)
                flatten(*from.element[i], into);
            break;
        case REDIS_REPLY_INTEGER:
            into.push_back(std::to_string(from.integer));
            break;
        case REDIS_REPLY_NIL:
            into.emplace_back();
            break;
        default:
            into.emplace_back(text_of(from));
    }
}

}  // namespace

void redis_server::disconnect::operator()(redisContext* context) const {
    redisFree(context);
}

redis_server::redis_server() : redis_server(settings{}) {}

redis_server::redis_server(settings wanted)
    : settings_(std::move(wanted)),
      folder_(settings_.folder),
      port_(free_port()),
      tls_port_(settings_.tls != nullptr ? free_port() : std::uint16_t{0}) {
    start();
}

redis_server::~redis_server() = default;

std::string redis_server::unix_path() const {
    return folder_.path() + "/redis.sock";
}

std::string redis_server::url() const {
    const std::string credentials = settings_.password.empty() ? "" : ":" + settings_.password + "@";
    return "redis://" + credentials + "127.0.0.1:" + std::to_string(port_);
}

void redis_server::start() {
    if (process_ && !process_->try_wait()) return;
    const std::string on_disk = settings_.persistent ? "yes" : "no";
    process::settings redis;
    redis.arguments = {"redis-server",
                       "--port",
                       std::to_string(port_),
                       "--bind",
                       "127.0.0.1",
                       "--unixsocket",
                       unix_path(),
                       "--dir",
                       folder_.path(),
                       "--save",
                       "",
                       "--appendonly",
                       on_disk,
                       "--appendfsync",
                       "no",
                       "--daemonize",
                       "no"};
    const auto add = [&redis](const std::string& name, const std::string& value) {
        redis.arguments.push_back(name);
        redis.arguments.push_back(value);
    };
    if (!settings_.password.empty()) add("--requirepass", settings_.password);
    if (!settings_.user_commands_file.empty()) add("--aclfile", settings_.user_commands_file);
    if (settings_.tls != nullptr) {
        add("--tls-port", std::to_string(tls_port_));
        add("--tls-cert-file", settings_.tls->cert);
        add("--tls-key-file", settings_.tls->key);
        add("--tls-ca-cert-file", settings_.tls->ca);
        add("--tls-auth-clients", "no");
    }
    redis.arguments.insert(redis.arguments.end(), settings_.arguments.begin(), settings_.arguments.end());
    connection_.reset();
    process_.reset();
    process_ = std::make_unique<process>(std::move(redis));
    await_answer();
}

void redis_server::await_answer() {
    const bool answered = eventually([this] {
        if (process_->try_wait()) return true;
        const connection fresh = connect();
        return fresh->err == 0 && answers(fresh);
    });
    if (!answered || process_->try_wait()) {
        throw std::runtime_error("redis-server does not answer on port " + std::to_string(port_) +
                                 "; its log:\n" + process_->output());
    }
}

bool redis_server::answers(const connection& to) const {
    const reply answer = send(*to, {"PING"});
    if (!answer) return false;
    return answer->type != REDIS_REPLY_ERROR || text_of(*answer).starts_with("NOAUTH");
}

redis_server::connection redis_server::connect() const {
    connection fresh(redisConnectWithTimeout("127.0.0.1", port_, timeval{30, 0}));
    if (!fresh) throw std::bad_alloc();
    if (fresh->err == 0) redisSetTimeout(fresh.get(), timeval{30, 0});
    return fresh;
}

void redis_server::stop() {
    if (!process_) return;
    resume();
    connection_.reset();
    process_->signal(SIGTERM);
    process_->wait();
    process_.reset();
}

void redis_server::kill() {
    connection_.reset();
    process_.reset();
    paused_ = false;
}

void redis_server::pause() {
    if (!process_) throw std::runtime_error("redis-server: paused while it does not run");
    freeze(process_->pid());
    paused_ = true;
}

void redis_server::resume() {
    if (process_) process_->signal(SIGCONT);
    paused_ = false;
}

std::string redis_server::output() const {
    return process_ ? process_->output() : "";
}

std::vector<std::string> redis_server::command(const std::vector<std::string>& words) {
    // A kept connection may be dead since the server's last restart; a PING finds out without a command sent
    // twice.
    if (connection_ && !answers(connection_)) connection_.reset();
    if (!connection_) {
        connection_ = connect();
        if (connection_->err == 0 && !settings_.password.empty())
            send(*connection_, {"AUTH", settings_.password});
    }
    const reply answer = connection_->err == 0 ? send(*connection_, words) : nullptr;
    if (!answer) {
        const std::string reason = connection_->errstr;
        connection_.reset();
        throw std::runtime_error("redis " + words.front() + ": " + reason);
    }
    if (answer->type == REDIS_REPLY_ERROR) {
        throw std::runtime_error("redis " + words.front() + ": " + std::string(text_of(*answer)));
    }
    std::vector<std::string> flat;
    if (answer->type != REDIS_REPLY_NIL) flatten(*answer, flat);
    return flat;
}

std::vector<std::string> redis_server::list(const std::string& name) {
    return command({"LRANGE", name, "0", "-1"});
}

std::int64_t redis_server::integer(const std::vector<std::string>& words) {
    const std::vector<std::string> answer = command(words);
    if (answer.size() != 1)
        throw std::runtime_error("redis " + words.front() + ": no single number came back");
    return std::stoll(answer.front());
}

}  // namespace postrider::support
