// What all connections of one HTTP server share.
#ifndef TRIREME_SERVER_HTTP_HTTP_CONTEXT_H_
#define TRIREME_SERVER_HTTP_HTTP_CONTEXT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/http/asio.h"
#include "server/http/body_budget.h"
#include "server/http/http_exchange.h"
#include "server/http/http_limits.h"

namespace trireme {

// Counts a server's connections. Thread-safe.
class ConnectionCount {
 public:
  // False when there are `max` already.
  bool Add(uint64_t max) {
    absl::MutexLock lock(&mu_);
    if (count_ >= max) return false;
    ++count_;
    return true;
  }
  void Remove() {
    absl::MutexLock lock(&mu_);
    --count_;
  }
  void AwaitNone(absl::Duration timeout) {
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithTimeout(
        absl::Condition(
            +[](uint64_t* count) { return *count == 0; }, &count_),
        timeout);
  }

 private:
  absl::Mutex mu_;
  uint64_t count_ ABSL_GUARDED_BY(mu_) = 0;
};

struct HttpContext {
  // Set at construction.
  HttpLimits limits;
  HttpService* service = nullptr;
  std::optional<boost::asio::ssl::context> tls;
  bool plaintext = true;
  std::shared_ptr<BodyBudget> body_budget;

  // Thread-safe.
  ConnectionCount connections;
  std::atomic<bool> draining = false;
  std::atomic<bool> stopping = false;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_CONTEXT_H_
