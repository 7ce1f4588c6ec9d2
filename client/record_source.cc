#include "client/record_source.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/backoff.h"
#include "client/error.h"
#include "client/shard_reader.h"
#include "client/status_macros.h"
#include "client/subscriber.h"

namespace trireme::client {
namespace {

// A time to wait until: what is in the past is now, and forever is a day.
absl::Duration TimeTo(absl::Time until) {
  return std::clamp(until - absl::Now(), absl::ZeroDuration(), absl::Hours(24));
}

class PushSource : public RecordSource {
 public:
  PushSource(Client& client, const ShardStart& start, size_t bytes_max)
      : bytes_max_(bytes_max) {
    SubscriberOptions options;
    options.stream_name = start.stream_name;
    options.shard_id = start.shard_id;
    options.from = start.from;
    options.on_event = [this](const v1::SubscribeToShardEvent& event) {
      Add(event);
    };
    options.on_end = [this](const absl::Status& status) { End(status); };
    options.on_interruption = [on_error =
                                   start.on_error](const absl::Status& status) {
      if (!status.ok() && on_error) on_error(status);
    };
    subscriber_.emplace(client, std::move(options));
  }
  ~PushSource() override {
    {
      absl::MutexLock lock(&mu_);
      stopped_ = true;
    }
    subscriber_->Stop();
  }

  absl::StatusOr<std::optional<RecordPage>> Next(absl::Time until) override {
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithTimeout(absl::Condition(this, &PushSource::HasNews),
                         TimeTo(until));
    interrupted_ = false;
    if (!pages_.empty()) return TakeAll();
    // At a closed shard's end its last page came before this.
    if (ended_ && !end_.ok()) return end_;
    return std::nullopt;
  }
  void Interrupt() override {
    absl::MutexLock lock(&mu_);
    interrupted_ = true;
  }

 private:
  struct Held {
    RecordPage page;
    size_t bytes = 0;
  };

  // In one page: who is behind gets more at once.
  RecordPage TakeAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    RecordPage all = std::move(pages_.front().page);
    pages_.pop_front();
    for (Held& held : pages_) {
      std::move(held.page.records.begin(), held.page.records.end(),
                std::back_inserter(all.records));
      all.behind_latest = held.page.behind_latest;
      all.at_end = held.page.at_end;
    }
    pages_.clear();
    bytes_ = 0;
    return all;
  }
  void Add(const v1::SubscribeToShardEvent& event) {
    Held held;
    held.page.records = {event.records().begin(), event.records().end()};
    held.page.behind_latest = absl::Milliseconds(event.millis_behind_latest());
    held.page.at_end = event.continuation_sequence_number().empty();
    held.bytes = event.ByteSizeLong();
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &PushSource::HasRoom));
    if (stopped_) return;
    bytes_ += held.bytes;
    pages_.push_back(std::move(held));
  }
  void End(const absl::Status& status) {
    absl::MutexLock lock(&mu_);
    ended_ = true;
    end_ = status;
  }
  bool HasNews() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !pages_.empty() || interrupted_ || (ended_ && !end_.ok());
  }
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return stopped_ || pages_.empty() || bytes_ < bytes_max_;
  }

  // Set at construction.
  const size_t bytes_max_;

  absl::Mutex mu_;
  std::deque<Held> pages_ ABSL_GUARDED_BY(mu_);
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool interrupted_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mu_);

  std::optional<Subscriber> subscriber_;  // Last: its thread uses the above.
};

class PollSource : public RecordSource {
 public:
  PollSource(Client& client, const ShardStart& start, int records_max,
             absl::Duration idle_interval)
      : records_max_(records_max),
        idle_interval_(idle_interval),
        on_error_(start.on_error),
        reader_(client, start.stream_name, start.shard_id, start.from) {}

  absl::StatusOr<std::optional<RecordPage>> Next(absl::Time until) override {
    {
      absl::MutexLock lock(&mu_);
      mu_.AwaitWithTimeout(absl::Condition(&interrupted_),
                           TimeTo(std::min(until, next_poll_)));
      const bool interrupted = std::exchange(interrupted_, false);
      if (interrupted || absl::Now() < next_poll_) return std::nullopt;
    }
    absl::StatusOr<v1::GetRecordsResponse> read = reader_.Next(records_max_);
    if (!read.ok()) {
      if (Classify(read.status()) == Failure::kRefused) return read.status();
      if (on_error_) on_error_(read.status());
      next_poll_ = absl::Now() + backoff_.Next();
      return std::nullopt;
    }
    backoff_.Reset();
    const bool more = !read->records().empty() || reader_.at_end();
    next_poll_ = more ? absl::InfinitePast() : absl::Now() + idle_interval_;
    RecordPage page;
    page.records.reserve(static_cast<size_t>(read->records_size()));
    for (v1::Record& record : *read->mutable_records()) {
      page.records.push_back(std::move(record));
    }
    page.behind_latest = absl::Milliseconds(read->millis_behind_latest());
    page.at_end = reader_.at_end();
    return page;
  }
  void Interrupt() override {
    absl::MutexLock lock(&mu_);
    interrupted_ = true;
  }

 private:
  // Set at construction.
  const int records_max_;
  const absl::Duration idle_interval_;
  const std::function<void(const absl::Status&)> on_error_;

  // Owned by the caller of Next.
  ShardReader reader_;
  Backoff backoff_;
  absl::Time next_poll_ = absl::InfinitePast();

  absl::Mutex mu_;
  bool interrupted_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace

std::unique_ptr<RecordSource> PushFrom(Client& client, const ShardStart& start,
                                       size_t bytes_max) {
  return std::make_unique<PushSource>(client, start, bytes_max);
}

std::unique_ptr<RecordSource> PollFrom(Client& client, const ShardStart& start,
                                       int records_max,
                                       absl::Duration idle_interval) {
  return std::make_unique<PollSource>(client, start, records_max,
                                      idle_interval);
}

absl::StatusOr<std::string> FindTip(Client& client, const std::string& stream,
                                    const std::string& shard_id,
                                    absl::Time until) {
  absl::Mutex mu;
  std::optional<std::string> tip;
  std::optional<absl::Status> end;
  SubscriberOptions options;
  options.stream_name = stream;
  options.shard_id = shard_id;
  options.from = FromLatest();
  options.on_event = [&](const v1::SubscribeToShardEvent& event) {
    absl::MutexLock lock(&mu);
    if (!tip.has_value()) tip = event.continuation_sequence_number();
  };
  options.on_end = [&](const absl::Status& status) {
    absl::MutexLock lock(&mu);
    end = status;
  };
  Subscriber subscriber(client, std::move(options));
  absl::MutexLock lock(&mu);
  const auto known = [&] { return tip.has_value() || end.has_value(); };
  if (!mu.AwaitWithTimeout(absl::Condition(&known), TimeTo(until))) {
    return MakeError(absl::StatusCode::kDeadlineExceeded, "",
                     "SubscribeToShard",
                     "nobody told where the shard's next record will come");
  }
  if (tip.has_value()) return *std::move(tip);
  return *std::move(end);
}

}  // namespace trireme::client
