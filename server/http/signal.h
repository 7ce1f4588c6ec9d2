// Signal is what a coroutine waits on until another part of its loop has
// something for it. A Notify without a waiter is forgotten: what is waited for
// is a condition beside it.
//
// Of one loop's thread. At most one waiter.
#ifndef TRIREME_SERVER_HTTP_SIGNAL_H_
#define TRIREME_SERVER_HTTP_SIGNAL_H_

#include <utility>

#include "absl/functional/any_invocable.h"
#include "server/http/asio.h"
#include "storage/check.h"

namespace trireme {

class Signal {
 public:
  explicit Signal(Executor executor) : executor_(executor) {}

  Awaitable<void> Wait() {
    CHECK(waiter_ == nullptr);
    return boost::asio::async_initiate<decltype(kAwait), void()>(
        [this](auto resume) { waiter_ = std::move(resume); }, kAwait);
  }

  // The waiter goes on soon, not within this call.
  void Notify() {
    if (waiter_ == nullptr) return;
    boost::asio::post(executor_, std::exchange(waiter_, nullptr));
  }

 private:
  const Executor executor_;
  absl::AnyInvocable<void()> waiter_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_SIGNAL_H_
