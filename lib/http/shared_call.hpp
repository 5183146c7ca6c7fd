#pragma once

#include <optional>

#include "core/error.hpp"
#include "net/asio.hpp"
#include "net/signal.hpp"

namespace postrider::http {

// Lets callers of one moment share one underlying call: whoever comes while it is under way waits for its
// answer, errors and exceptions included. A caller that is cancelled leaves the others alone; the last one
// cancels the underlying call and waits for its end, so that none outlives those who wanted it. The object
// may go while a call is under way.
template <class Value>
class shared_call {
 public:
    using result = core::result<Value>;
    using call = std::function<asio::awaitable<result>()>;

    explicit shared_call(call underlying) : state_(std::make_shared<state>()) {
        state_->underlying = std::move(underlying);
    }

    // The answer of the call under way, or of a new one. A caller that was cancelled gets errc::stopped.
    asio::awaitable<result> operator()() { return join(state_); }

 private:
    struct flight {
        explicit flight(const asio::any_io_executor& executor) : landed(executor) {}

        net::signal landed;
        asio::cancellation_signal cancel;
        std::optional<result> answer;
        std::exception_ptr error;
        std::size_t callers = 0;
        bool over = false;
    };

    struct state {
        call underlying;
        std::shared_ptr<flight> current;
    };

    static asio::awaitable<void> fly(std::shared_ptr<state> s, std::shared_ptr<flight> f) {
        auto calling = s->underlying();
        f->answer = co_await std::move(calling);
    }

    static std::shared_ptr<flight> depart(const asio::any_io_executor& executor,
                                          const std::shared_ptr<state>& s) {
        auto f = std::make_shared<flight>(executor);
        s->current = f;
        auto landing = [s, f](const std::exception_ptr& error) {
            f->error = error;
            f->over = true;
            if (s->current == f) s->current.reset();
            f->landed.notify();
        };
        asio::co_spawn(executor, fly(s, f),
                       asio::bind_cancellation_slot(f->cancel.slot(), std::move(landing)));
        return f;
    }

    static asio::awaitable<result> join(std::shared_ptr<state> s) {
        const auto executor = co_await asio::this_coro::executor;
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        auto f = s->current;
        if (!f) f = depart(executor, s);
        ++f->callers;
        while (!f->over && cancellation.cancelled() == asio::cancellation_type::none)
            co_await f->landed.wait();
        --f->callers;
        if (!f->over) {
            // What is cancelled cannot wait any more, unless it asks for it.
            co_await asio::this_coro::throw_if_cancelled(false);
            if (f->callers == 0) co_await abandon(s, f);
            co_await asio::this_coro::throw_if_cancelled(true);
            core::failure gone{core::errc::stopped, "the caller went away before the answer came"};
            co_return gone;
        }
        if (f->error) std::rethrow_exception(f->error);
        co_return *f->answer;
    }

    static asio::awaitable<void> abandon(std::shared_ptr<state> s, std::shared_ptr<flight> f) {
        if (s->current == f) s->current.reset();
        f->cancel.emit(asio::cancellation_type::terminal);
        while (!f->over)
            co_await f->landed.wait();
    }

    std::shared_ptr<state> state_;
};

}  // namespace postrider::http
