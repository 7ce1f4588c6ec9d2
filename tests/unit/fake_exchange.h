// An exchange without a connection: what it is answered is kept, and jobs run
// when told.
#ifndef TRIREME_TESTS_UNIT_FAKE_EXCHANGE_H_
#define TRIREME_TESTS_UNIT_FAKE_EXCHANGE_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "server/http/http_exchange.h"

namespace trireme {

class FakeExchange : public HttpExchange {
 public:
  explicit FakeExchange(HttpRequest request)
      : HttpExchange(std::move(request)) {}

  void Respond(HttpResponse response) override {
    EXPECT_FALSE(response_.has_value()) << "answered twice";
    response_ = std::move(response);
  }
  void BeginStream(HttpResponse head,
                   std::shared_ptr<HttpStreamWriter> writer) override {
    Respond(std::move(head));
    writer_ = std::move(writer);
  }
  void Write(absl::Cord piece) override {
    EXPECT_FALSE(ended_ || aborted_);
    if (!closed_) response_->body.Append(piece);
    (stalled_ ? held_ : jobs_).push_back([this, writer = writer_] {
      writer->OnWritten(!closed_ && !aborted_);
    });
  }
  void End() override { ended_ = true; }
  void Abort() override { aborted_ = true; }
  void Post(absl::AnyInvocable<void()> job) override {
    jobs_.push_back(std::move(job));
  }

  // False when there was nothing to run.
  bool RunOne() {
    if (jobs_.empty()) return false;
    absl::AnyInvocable<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
    return true;
  }
  // The peer takes nothing from now on; or does again.
  void Stall() { stalled_ = true; }
  void Resume() {
    stalled_ = false;
    for (auto& job : held_) jobs_.push_back(std::move(job));
    held_.clear();
  }
  void Close() {
    if (writer_ != nullptr && !std::exchange(closed_, true)) {
      writer_->OnClosed();
    }
  }

  bool answered() const { return response_.has_value(); }
  bool ended() const { return ended_; }
  bool aborted() const { return aborted_; }
  const HttpResponse& response() const { return *response_; }
  std::string body() const { return std::string(response_->body); }
  std::string header(absl::string_view name) const {
    return std::string(FindHeader(response_->headers, name));
  }

 private:
  std::deque<absl::AnyInvocable<void()>> jobs_;
  std::deque<absl::AnyInvocable<void()>> held_;  // While it is stalled.
  std::optional<HttpResponse> response_;
  std::shared_ptr<HttpStreamWriter> writer_;
  bool stalled_ = false;
  bool closed_ = false;
  bool ended_ = false;
  bool aborted_ = false;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_FAKE_EXCHANGE_H_
