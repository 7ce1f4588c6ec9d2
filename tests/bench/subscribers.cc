#include "tests/bench/subscribers.h"

#include <utility>

#include "storage/check.h"
#include "tests/bench/load.h"

namespace trireme::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

}  // namespace

Subscribers::Subscribers(client::Client& client, const std::string& stream,
                         const std::vector<Wanted>& wanted,
                         uint32_t record_bytes)
    : record_bytes_(record_bytes) {
  for (const Wanted& one : wanted) {
    client::SubscriberOptions options;
    options.stream_name = stream;
    options.consumer_arn = one.consumer_arn;
    options.shard_id = one.shard;
    options.from = client::FromTrimHorizon();
    options.on_event = [this](const v1::SubscribeToShardEvent& event) {
      OnEvent(event);
    };
    subscribers_.push_back(
        std::make_unique<client::Subscriber>(client, std::move(options)));
  }
}

void Subscribers::AwaitRecords(uint64_t count) {
  absl::MutexLock lock(&mu_);
  awaited_ = count;
  CHECK(mu_.AwaitWithTimeout(absl::Condition(this, &Subscribers::Enough),
                             kPatience),
        "subscribers did not get every record");
}

std::vector<double> Subscribers::Latencies() {
  absl::MutexLock lock(&mu_);
  return latencies_ms_;
}

int64_t Subscribers::last() {
  absl::MutexLock lock(&mu_);
  return last_;
}

double Subscribers::bytes() {
  absl::MutexLock lock(&mu_);
  return static_cast<double>(records_) * record_bytes_;
}

void Subscribers::OnEvent(const v1::SubscribeToShardEvent& event) {
  const int64_t now = SteadyNow();
  absl::MutexLock lock(&mu_);
  for (const v1::Record& record : event.records()) {
    if (record.data().size() != record_bytes_) continue;
    ++records_;
    last_ = now;
    latencies_ms_.push_back(static_cast<double>(now - SentAt(record.data())) /
                            1e6);
  }
}

}  // namespace trireme::bench
