// What the HTTP server's tests let it serve.
#ifndef TRIREME_TESTS_UNIT_HTTP_SERVICES_H_
#define TRIREME_TESTS_UNIT_HTTP_SERVICES_H_

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/http/http_exchange.h"

namespace trireme {

constexpr absl::Duration kPatience = absl::Seconds(20);

// Answers at once with method, target and body of the request.
class EchoService : public HttpService {
 public:
  void Serve(std::shared_ptr<HttpExchange> exchange) override {
    const HttpRequest& request = exchange->request();
    HttpResponse response{
        .headers = {{"X-Host", std::string(request.Header("host"))}}};
    response.body = absl::Cord(
        absl::StrCat(request.method, " ", request.target, " ", request.body));
    exchange->Respond(std::move(response));
  }
};

// Keeps the exchanges for the test to answer.
class HeldService : public HttpService {
 public:
  void Serve(std::shared_ptr<HttpExchange> exchange) override {
    absl::MutexLock lock(&mu_);
    held_.push_back(std::move(exchange));
  }

  // The next; null when none comes.
  std::shared_ptr<HttpExchange> Take() {
    absl::MutexLock lock(&mu_);
    const auto some = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return !held_.empty();
    };
    if (!mu_.AwaitWithTimeout(absl::Condition(&some), kPatience)) return {};
    std::shared_ptr<HttpExchange> next = std::move(held_.front());
    held_.pop_front();
    return next;
  }
  size_t count() {
    absl::MutexLock lock(&mu_);
    return held_.size();
  }

 private:
  absl::Mutex mu_;
  std::deque<std::shared_ptr<HttpExchange>> held_ ABSL_GUARDED_BY(mu_);
};

// Notes what a stream's writer is told.
class NotingWriter : public HttpStreamWriter {
 public:
  void OnWritten(bool ok) override {
    absl::MutexLock lock(&mu_);
    written_.push_back(ok);
  }
  void OnClosed() override {
    absl::MutexLock lock(&mu_);
    ++closed_;
  }

  bool has_written() {
    absl::MutexLock lock(&mu_);
    return !written_.empty();
  }
  // The next OnWritten's word; none when it does not come.
  std::optional<bool> AwaitWritten() {
    absl::MutexLock lock(&mu_);
    const auto some = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return !written_.empty();
    };
    if (!mu_.AwaitWithTimeout(absl::Condition(&some), kPatience)) return {};
    const bool ok = written_.front();
    written_.pop_front();
    return ok;
  }
  bool AwaitClosed() {
    absl::MutexLock lock(&mu_);
    const auto closed = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return closed_ > 0;
    };
    return mu_.AwaitWithTimeout(absl::Condition(&closed), kPatience);
  }
  int closed() {
    absl::MutexLock lock(&mu_);
    return closed_;
  }

 private:
  absl::Mutex mu_;
  std::deque<bool> written_ ABSL_GUARDED_BY(mu_);
  int closed_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_HTTP_SERVICES_H_
