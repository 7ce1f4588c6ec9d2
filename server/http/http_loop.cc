#include "server/http/http_loop.h"

#include <utility>

#include "absl/time/clock.h"
#include "storage/check.h"
#include "storage/named_thread.h"

namespace trireme {

HttpLoop::HttpLoop(absl::Duration tick)
    : tick_(tick), context_(/*concurrency_hint=*/1), timer_(context_) {}

HttpLoop::~HttpLoop() { CHECK(!thread_.joinable()); }

void HttpLoop::Start() {
  // The tick is what keeps the context running.
  Spawn(TickLoop());
  // The thread's first step waits until its id is known to RunsHere.
  absl::MutexLock lock(&mu_);
  thread_ = NamedThread("http", [this] {
    { absl::MutexLock started(&mu_); }
    context_.run();
  });
  thread_id_ = thread_.get_id();
}

void HttpLoop::Finish() {
  Post([this] {
    CHECK(listeners_.empty());
    finishing_ = true;
    timer_.cancel();
  });
  thread_.join();
  std::vector<Job> dropped;
  absl::MutexLock lock(&mu_);
  closed_ = true;
  dropped.swap(jobs_);
}

void HttpLoop::Post(Job job) {
  {
    absl::MutexLock lock(&mu_);
    if (closed_) return;
    jobs_.push_back(std::move(job));
    if (jobs_.size() > 1) return;
  }
  boost::asio::post(context_, [this] { RunJobs(); });
}

void HttpLoop::RunJobs() {
  std::vector<Job> jobs;
  {
    absl::MutexLock lock(&mu_);
    jobs.swap(jobs_);
  }
  for (Job& job : jobs) {
    job();
    job = nullptr;
  }
}

void HttpLoop::Spawn(Awaitable<void> coroutine) {
  boost::asio::co_spawn(
      executor(), std::move(coroutine),
      [](std::exception_ptr error) { CHECK(error == nullptr); });
}

Awaitable<void> HttpLoop::TickLoop() {
  while (!finishing_) {
    timer_.expires_after(absl::ToChronoNanoseconds(tick_));
    ErrorCode ignored;
    co_await timer_.async_wait(boost::asio::redirect_error(kAwait, ignored));
    const SteadyTime now = std::chrono::steady_clock::now();
    // A copy: listeners may leave when told.
    const std::vector<TickListener*> all(listeners_.begin(), listeners_.end());
    for (TickListener* listener : all) {
      if (listeners_.contains(listener)) listener->OnTick(now);
    }
  }
}

void HttpLoop::StartDraining() {
  for (TickListener* listener : listeners_) listener->StartDraining();
}

void HttpLoop::CloseAll() {
  for (TickListener* listener : listeners_) listener->Close();
}

absl::string_view HttpLoop::Date() {
  const int64_t now_s = absl::ToUnixSeconds(absl::Now());
  if (now_s != date_s_) {
    date_s_ = now_s;
    date_ = absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT",
                             absl::FromUnixSeconds(now_s), absl::UTCTimeZone());
  }
  return date_;
}

}  // namespace trireme
