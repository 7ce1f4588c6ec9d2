#include "client/consumer.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/backoff.h"
#include "client/error.h"
#include "client/lease_clock.h"

namespace trireme::client {
namespace {

constexpr char kWorkerExpired[] = "WorkerExpiredException";
constexpr char kWorkerReplaced[] = "WorkerReplacedException";
constexpr char kResourceInUse[] = "ResourceInUseException";
constexpr int kRecordsMax = 10'000;
// Of the lease duration: two may fail before the third is late.
constexpr int kHeartbeatsPerLease = 3;
// As long as something is about to change, such as after joining.
constexpr absl::Duration kHurryInterval = absl::Milliseconds(250);
constexpr absl::Duration kHurryFor = absl::Seconds(2);
// Of one call.
constexpr size_t kCheckpointsMax = 500;

std::string RandomWorkerId() {
  char host[256] = "worker";
  gethostname(host, sizeof(host) - 1);
  absl::BitGen random;
  return absl::StrCat(
      host, "-", getpid(), "-",
      absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
}

ConsumerOptions WithWorkerId(ConsumerOptions options) {
  if (options.worker_id.empty()) options.worker_id = RandomWorkerId();
  return options;
}

absl::Duration LeaseDurationOf(const v1::JoinConsumerGroupResponse& joined) {
  return absl::Milliseconds(joined.settings().lease_duration_ms());
}

void Count(const ShardProgress& progress, ConsumerMetrics* metrics) {
  metrics->records += progress.records;
  metrics->bytes += progress.bytes;
  metrics->process_errors += progress.process_errors;
}

}  // namespace

Consumer::Consumer(Client& client, ConsumerOptions options,
                   RecordProcessorFactory factory)
    : client_(client),
      options_(WithWorkerId(std::move(options))),
      factory_(std::move(factory)),
      context_(std::make_shared<ShardContext>(ShardContext{
          client_, options_.reading, factory_, options_.stream_name,
          options_.group_name, options_.worker_id, [this] { Hurry(); },
          [this](absl::string_view shard_id, const absl::Status& status) {
            Report(shard_id, status);
          }})),
      on_stop_(std::in_place, stop_, [this] { Hurry(); }),
      on_cancel_(std::in_place, client.cancellation(),
                 [this] { stop_.Cancel(); }) {
  past_.worker_id = options_.worker_id;
  checkpoints_ = std::thread([this] { KeepCheckpoints(); });
  heartbeats_ = std::thread([this] { Run(); });
}

Consumer::~Consumer() {
  Stop();
  heartbeats_.join();
  checkpoints_.join();
}

void Consumer::Stop() {
  stop_.Cancel();
  (void)Wait();
}

absl::Status Consumer::Wait() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &Consumer::IsOver));
  return result_;
}

ConsumerMetrics Consumer::metrics() const {
  ConsumerMetrics metrics;
  std::vector<ShardPtr> shards;
  {
    absl::MutexLock lock(&mu_);
    metrics = past_;
    for (const auto& [id, shard] : shards_) shards.push_back(shard);
  }
  for (const ShardPtr& shard : shards) {
    const ShardProgress progress = shard->progress();
    Count(progress, &metrics);
    if (!shard->ended()) metrics.shards.push_back(progress);
  }
  return metrics;
}

// --- heartbeats ---

void Consumer::Run() {
  absl::Status result = Validate();
  while (result.ok() && !stop_.cancelled()) {
    const auto joined = Join();
    if (!joined.ok()) {
      result = joined.status();
      break;
    }
    const absl::Status served = Serve(*joined);
    if (served.ok()) break;  // Stopped, and left.
    LoseAll();
    if (Reason(served) == kWorkerReplaced) {
      result = served;
    } else {
      Report("", served);
    }
  }
  if (stop_.cancelled()) result = absl::OkStatus();
  if (!result.ok()) Report("", result);
  LoseAll();
  for (const ShardPtr& shard : Shards()) {
    shard->AwaitEnd();
    Drop(shard);
  }
  absl::MutexLock lock(&mu_);
  over_ = true;
  result_ = result;
}

absl::Status Consumer::Validate() const {
  const ReadingOptions& reading = options_.reading;
  const auto refuse = [](absl::string_view what) {
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "InvalidArgumentException", "Consumer", what);
  };
  if (reading.records_max < 1 || reading.records_max > kRecordsMax) {
    return refuse(absl::StrCat("records_max is ", reading.records_max,
                               "; it must be 1 to ", kRecordsMax));
  }
  if (reading.poll_interval <= absl::ZeroDuration()) {
    return refuse("poll_interval must be more than nothing");
  }
  if (reading.checkpoint_interval <= absl::ZeroDuration()) {
    return refuse("checkpoint_interval must be more than nothing");
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::JoinConsumerGroupResponse> Consumer::Join() {
  v1::JoinConsumerGroupRequest request;
  request.set_stream_name(options_.stream_name);
  request.set_group_name(options_.group_name);
  request.set_worker_id(options_.worker_id);
  v1::ConsumerGroupSettings& settings = *request.mutable_settings();
  settings.set_lease_duration_ms(
      absl::ToInt64Milliseconds(options_.lease_duration));
  settings.set_hand_off_timeout_ms(
      absl::ToInt64Milliseconds(options_.hand_off_timeout));
  *settings.mutable_starting_position() = options_.from;
  // One that was deleted since is not to begin anew unasked.
  request.set_existing_only(has_joined_);
  Backoff backoff;
  for (;;) {
    auto joined = client_.JoinConsumerGroup(request);
    // A stream that is being created will be there soon.
    const bool again = Classify(joined.status()) != Failure::kRefused ||
                       Reason(joined.status()) == kResourceInUse;
    has_joined_ = has_joined_ || joined.ok();
    if (joined.ok() || !again) return joined;
    Report("", joined.status());
    if (!stop_.WaitFor(backoff.Next())) return joined;
  }
}

// OK when it was stopped and has left; else why the worker is one no more.
absl::Status Consumer::Serve(const v1::JoinConsumerGroupResponse& joined) {
  const absl::Duration lease = LeaseDurationOf(joined);
  const absl::Duration interval = lease / kHeartbeatsPerLease;
  Hurry();
  for (;;) {
    if (stop_.cancelled() && EndAll()) break;
    const v1::HeartbeatRequest request = MakeHeartbeat(joined.worker());
    const absl::Duration sent = LeaseNow();
    const auto response = client_.Heartbeat(request, absl::Now() + interval);
    if (response.ok()) {
      Apply(joined, *response, sent);
    } else if (Reason(response.status()) == kWorkerExpired ||
               Reason(response.status()) == kWorkerReplaced) {
      return response.status();
    } else if (!absl::IsCancelled(response.status())) {
      Report("", response.status());
      for (const ShardPtr& shard : Shards()) shard->ForgetToldLoad();
      Hurry();
    } else {
      LoseAll();  // The client was cancelled: nothing can be said any more.
    }
    PauseUntilDue(interval);
  }
  const absl::Status left = client_.LeaveConsumerGroup(joined.worker());
  if (!left.ok()) Report("", left);  // It is expired after the lease time.
  return absl::OkStatus();
}

v1::HeartbeatRequest Consumer::MakeHeartbeat(const v1::WorkerHandle& worker) {
  v1::HeartbeatRequest request;
  *request.mutable_worker() = worker;
  request.set_draining(stop_.cancelled());
  for (const ShardPtr& shard : Shards()) {
    v1::LeaseRef& lease = *request.add_leases();
    lease.set_shard_id(shard->shard_id());
    lease.set_lease_counter(shard->lease_counter());
    if (const auto load = shard->TakeLoad(LeaseNow())) {
      lease.set_bytes_per_second(*load);
    }
  }
  return request;
}

void Consumer::Apply(const v1::JoinConsumerGroupResponse& joined,
                     const v1::HeartbeatResponse& response,
                     absl::Duration sent) {
  const absl::Duration held_until = sent + LeaseDurationOf(joined);
  const absl::Duration hand_off_by =
      sent + absl::Milliseconds(joined.settings().hand_off_timeout_ms());
  std::map<std::string, const v1::WorkerLease*> told;
  for (const v1::WorkerLease& lease : response.leases()) {
    told[lease.shard_id()] = &lease;
  }
  for (const ShardPtr& shard : Shards()) {
    const auto lease = told.find(shard->shard_id());
    const bool holds = lease != told.end() &&
                       lease->second->lease_counter() == shard->lease_counter();
    if (!holds) {
      Drop(shard);
      continue;
    }
    shard->Renew(held_until);
    if (lease->second->hand_off()) shard->HandOff(hand_off_by);
    // What became of that is not known; by its counter it harms nobody.
    if (shard->ended()) shard->Release();
    told.erase(lease);
  }
  if (stop_.cancelled()) return;
  absl::MutexLock lock(&mu_);
  for (const auto& [id, lease] : told) {
    // While the former one of the same shard ends, this waits.
    if (!lease->has_details() || shards_.contains(id)) continue;
    shards_[id] = std::make_shared<ShardConsumer>(context_, joined.worker(),
                                                  *lease, held_until);
    ++past_.leases_gained;
  }
}

// The lease is not the worker's any more; it is forgotten once it has ended.
void Consumer::Drop(const ShardPtr& shard) {
  const bool lost = shard->Lose();
  const bool ended = shard->ended();
  const ShardProgress progress = shard->progress();
  absl::MutexLock lock(&mu_);
  past_.leases_lost += lost;
  if (!ended) return;
  Count(progress, &past_);
  shards_.erase(shard->shard_id());
}

void Consumer::LoseAll() {
  for (const ShardPtr& shard : Shards()) Drop(shard);
}

// True when all have ended.
bool Consumer::EndAll() {
  bool all = true;
  for (const ShardPtr& shard : Shards()) {
    shard->End();
    all = all && shard->ended();
  }
  return all;
}

void Consumer::Hurry() {
  absl::MutexLock lock(&mu_);
  hurries_ = true;
  hurry_until_ = LeaseNow() + kHurryFor;
}

// Not more often than every kHurryInterval, whatever happens.
void Consumer::PauseUntilDue(absl::Duration interval) {
  const absl::Duration least = std::min(interval, kHurryInterval);
  absl::MutexLock lock(&mu_);
  mu_.AwaitWithTimeout(absl::Condition(this, &Consumer::IsOver), least);
  if (LeaseNow() >= hurry_until_) {
    mu_.AwaitWithTimeout(absl::Condition(&hurries_), interval - least);
  }
  hurries_ = false;
}

void Consumer::Report(absl::string_view shard_id,
                      const absl::Status& status) const {
  if (options_.on_error) options_.on_error(shard_id, status);
}

std::vector<Consumer::ShardPtr> Consumer::Shards() const {
  absl::MutexLock lock(&mu_);
  std::vector<ShardPtr> shards;
  for (const auto& [id, shard] : shards_) shards.push_back(shard);
  return shards;
}

// --- checkpoints ---

void Consumer::KeepCheckpoints() {
  if (options_.reading.checkpoint == CheckpointMode::kExplicit) return;
  while (stop_.WaitFor(options_.reading.checkpoint_interval)) CheckpointAll();
}

void Consumer::CheckpointAll() {
  struct Due {
    ShardPtr shard;
    RecordPosition position;
  };
  std::vector<Due> due;
  for (const ShardPtr& shard : Shards()) {
    if (auto position = shard->ToCheckpoint()) {
      due.push_back({shard, *std::move(position)});
    }
  }
  // Those of one request are of one worker: of a run between two joins.
  for (size_t begin = 0; begin < due.size();) {
    v1::CheckpointRequest request;
    *request.mutable_worker() = due[begin].shard->worker();
    size_t end = begin;
    for (; end < due.size() && end - begin < kCheckpointsMax &&
           due[end].shard->worker().worker_number() ==
               request.worker().worker_number();
         ++end) {
      *request.add_checkpoints() =
          due[end].shard->CheckpointAt(due[end].position);
    }
    const auto response = client_.Checkpoint(request);
    if (!response.ok()) {
      if (!absl::IsCancelled(response.status())) Report("", response.status());
      return;
    }
    const auto count =
        std::min(static_cast<size_t>(response->results_size()), end - begin);
    for (size_t i = 0; i < count; ++i) {
      const Due& one = due[begin + i];
      one.shard->OnCheckpoint(one.position,
                              response->results(static_cast<int>(i)));
    }
    begin = end;
  }
}

}  // namespace trireme::client
