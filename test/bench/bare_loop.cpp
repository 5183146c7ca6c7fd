#include "bench/bare_loop.hpp"

#include <hiredis.h>
#include <libpq-fe.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace postrider::bench {
namespace {

[[noreturn]] void die(const char* what) {
    std::fprintf(stderr, "bare loop: %s\n", what);
    std::exit(1);
}

}  // namespace

void bare_loop(const std::string& postgres_url, std::uint16_t redis_port) {
    PGconn* postgres = PQconnectdb(postgres_url.c_str());
    if (PQstatus(postgres) != CONNECTION_OK) die(PQerrorMessage(postgres));
    PQclear(PQexec(postgres, "LISTEN bot_events"));
    redisContext* redis = redisConnect("127.0.0.1", redis_port);
    if (redis == nullptr || redis->err != 0) die("no Redis");
    std::puts("listening");
    std::fflush(stdout);
    for (;;) {
        pollfd p{PQsocket(postgres), POLLIN, 0};
        ::poll(&p, 1, -1);
        if (PQconsumeInput(postgres) == 0) die(PQerrorMessage(postgres));
        int sent = 0;
        while (PGnotify* n = PQnotifies(postgres)) {
            const char* words[] = {"RPUSH", "bot_messages", n->extra};
            const std::size_t lengths[] = {5, 12, std::strlen(n->extra)};
            redisAppendCommandArgv(redis, 3, words, lengths);
            PQfreemem(n);
            ++sent;
        }
        for (; sent > 0; --sent) {
            void* reply = nullptr;
            if (redisGetReply(redis, &reply) != REDIS_OK) die(redis->errstr);
            freeReplyObject(reply);
        }
    }
}

}  // namespace postrider::bench
