#include "redis/reader.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <new>
#include <string>

namespace postrider::redis {

// hiredis calls these for every value it reads. They build one tree in the reader itself, so hiredis' own
// pointers are never followed and it has nothing to free.
struct reader::builder {
    // Values of an array come in order and each is whole before the next, so appending keeps pointers good.
    static reply* place(const redisReadTask* task) {
        if (task->parent == nullptr) {
            auto& root = static_cast<reader*>(task->privdata)->under_way_;
            root = reply{};
            return &root;
        }
        return &static_cast<reply*>(task->parent->obj)->items.emplace_back();
    }

    static void* string(const redisReadTask* task, char* text, std::size_t size) {
        reply* r = place(task);
        r->type = reply::kind::string;
        if (task->type == REDIS_REPLY_STATUS) r->type = reply::kind::status;
        if (task->type == REDIS_REPLY_ERROR) r->type = reply::kind::error;
        r->text.assign(text, size);
        return r;
    }

    // hiredis before 1.0 counts in int, later versions in size_t.
    template <class Count>
    static void* array(const redisReadTask* task, Count count) {
        // Room is made for what has come, not for what is announced.
        constexpr std::size_t believed = 1'024;
        reply* r = place(task);
        r->type = reply::kind::array;
        r->items.reserve(std::min(static_cast<std::size_t>(count), believed));
        return r;
    }

    static void* integer(const redisReadTask* task, long long value) {
        reply* r = place(task);
        r->type = reply::kind::integer;
        r->integer = value;
        return r;
    }

    static void* nil(const redisReadTask* task) { return place(task); }

    static void forget(void*) {}

    static redisReplyObjectFunctions make() {
        redisReplyObjectFunctions functions{};
        functions.createString = string;
        functions.createArray = array;
        functions.createInteger = integer;
        functions.createNil = nil;
        functions.freeObject = forget;
        return functions;
    }
};

void reader::release::operator()(redisReader* r) const {
    redisReaderFree(r);
}

reader::reader(std::size_t largest_reply) : largest_(largest_reply) {
    static redisReplyObjectFunctions functions = builder::make();
    hiredis_.reset(redisReaderCreateWithFunctions(&functions));
    if (!hiredis_) throw std::bad_alloc();
    hiredis_->privdata = this;
}

reader::~reader() = default;

void reader::feed(std::string_view bytes) {
    unfinished_ += bytes.size();
    redisReaderFeed(hiredis_.get(), bytes.data(), bytes.size());
}

core::result<std::optional<reply>> reader::next() {
    void* complete = nullptr;
    if (redisReaderGetReply(hiredis_.get(), &complete) != REDIS_OK)
        return core::failure{core::errc::protocol, "what came is not Redis' protocol (" +
                                                       std::string(hiredis_->errstr) +
                                                       "): is another service listening there?"};
    if (complete == nullptr) {
        if (unfinished_ > largest_)
            return core::failure{core::errc::protocol,
                                 "a reply is larger than " + std::to_string(largest_) + " bytes"};
        return std::optional<reply>();
    }
    unfinished_ = hiredis_->len - hiredis_->pos;
    return std::optional<reply>(std::move(under_way_));
}

}  // namespace postrider::redis
