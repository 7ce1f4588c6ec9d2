#include "client/producer.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/aggregation.h"
#include "client/compression.h"
#include "client/container.h"
#include "client/error.h"
#include "client/hash_key.h"
#include "client/producer_lane.h"
#include "client/status_macros.h"
#include "client/utf8.h"

namespace trireme::client {
namespace {

constexpr uint64_t kRecordBytesMax = 10 << 20;
constexpr size_t kKeyCharactersMax = 256;
constexpr uint64_t kAggregateBytesMin = 64;
constexpr int kLanesMax = 1'000;
constexpr int kRequestRecordsMax = 500;
constexpr int kRequestsInFlightMax = 10'000;
constexpr absl::Duration kWatchInterval = absl::Seconds(1);
// How long Put waits for a moment at which no record is under way, unless
// shards have changed, and how much later again.
constexpr absl::Duration kQuietWait = absl::Seconds(1);
constexpr absl::Duration kQuietPeriod = absl::Seconds(30);

// A malformed record would fail its whole request; stop it at the door.
absl::Status CheckRecord(const ProducerRecord& record, bool key_is_optional) {
  if (!IsUtf8(record.partition_key)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "ValidationException",
                     "PutRecords", "the partition key is not UTF-8");
  }
  const size_t characters = Utf8Characters(record.partition_key);
  const size_t characters_min = key_is_optional ? 0 : 1;
  if (characters < characters_min || characters > kKeyCharactersMax) {
    return MakeError(absl::StatusCode::kInvalidArgument, "ValidationException",
                     "PutRecords",
                     absl::StrCat("the partition key has ", characters,
                                  " characters; allowed are ", characters_min,
                                  " to ", kKeyCharactersMax));
  }
  if (!record.explicit_hash_key.empty() &&
      !ParseHashKey(record.explicit_hash_key).has_value()) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "InvalidArgumentException",
        "PutRecords",
        absl::StrCat("the explicit hash key is '",
                     absl::CHexEscape(record.explicit_hash_key.substr(0, 50)),
                     "'; allowed are 0 to 2^128 - 1 in decimal digits"));
  }
  const uint64_t bytes = record.bytes();
  if (bytes > kRecordBytesMax) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "ValidationException", "PutRecords",
        absl::StrCat("the record is ", bytes, " bytes with its key; the limit ",
                     "is ", kRecordBytesMax));
  }
  return absl::OkStatus();
}

absl::Status BadOption(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "InvalidArgumentException", "PutRecords", message);
}

absl::Status Closed() {
  return MakeError(absl::StatusCode::kCancelled, kCancelled, "PutRecords",
                   "the producer is closed");
}

ProducerOptions Completed(ProducerOptions options) {
  if (!options.identity.has_value()) {
    absl::BitGen random;
    options.identity = {absl::StrCat(absl::Hex(random(), absl::kZeroPad16),
                                     absl::Hex(random(), absl::kZeroPad16)),
                        1, 1};
  }
  return options;
}

absl::Status CheckIdentity(const ProducerIdentity& identity) {
  if (!identity.id.empty() && identity.epoch > 0 && identity.first_number > 0)
    return absl::OkStatus();
  return BadOption(absl::StrCat(
      "a producer's identity needs an id, an epoch and a first "
      "number of 1 or more; they are '",
      identity.id, "', ", identity.epoch, " and ", identity.first_number));
}

absl::Status CheckAggregation(const ProducerOptions& options) {
  const AggregationOptions& aggregation = *options.aggregation;
  if (options.identity.has_value()) {
    return BadOption(
        "aggregation excludes an identity: its numbers mean one user record "
        "each, and are given to whole aggregates");
  }
  if (options.keys_optional) {
    return BadOption(
        "aggregation excludes keys_optional: a stream whose record "
        "distribution strategy is AUTO takes no aggregates");
  }
  if (aggregation.aggregate_bytes_max < kAggregateBytesMin ||
      aggregation.aggregate_bytes_max >= kRecordBytesMax) {
    return BadOption(absl::StrCat(
        "aggregate_bytes_max is ", aggregation.aggregate_bytes_max,
        "; allowed are ", kAggregateBytesMin, " to ", kRecordBytesMax - 1));
  }
  if (aggregation.aggregate_records_max < 1 ||
      aggregation.aggregate_records_max > kAggregateRecordsMax) {
    return BadOption(absl::StrCat("aggregate_records_max is ",
                                  aggregation.aggregate_records_max,
                                  "; allowed are 1 to ", kAggregateRecordsMax));
  }
  if (!Md5("").has_value()) {
    return BadOption("aggregation needs MD5, which OpenSSL refuses here");
  }
  return absl::OkStatus();
}

absl::Status CheckRequests(const ProducerOptions& options) {
  struct Range {
    const char* name;
    int value;
    int max;
  };
  for (const Range& range :
       {Range{"lanes", options.lanes, kLanesMax},
        Range{"request_records_max", options.request_records_max,
              kRequestRecordsMax},
        Range{"requests_in_flight_max", options.requests_in_flight_max,
              kRequestsInFlightMax}}) {
    if (range.value >= 1 && range.value <= range.max) continue;
    return BadOption(absl::StrCat(range.name, " is ", range.value,
                                  "; allowed are 1 to ", range.max));
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const ProducerOptions& options) {
  CLIENT_RETURN_IF_ERROR(CheckRequests(options));
  if (options.identity.has_value()) {
    CLIENT_RETURN_IF_ERROR(CheckIdentity(*options.identity));
  }
  if (options.aggregation.has_value()) {
    CLIENT_RETURN_IF_ERROR(CheckAggregation(options));
  }
  if (!options.compression.has_value()) return absl::OkStatus();
  const int level = options.compression->level;
  if (Compressor::kLevelMin <= level && level <= Compressor::kLevelMax) {
    return absl::OkStatus();
  }
  return BadOption(absl::StrCat("the compression's level is ", level,
                                "; allowed are ", Compressor::kLevelMin, " to ",
                                Compressor::kLevelMax));
}

absl::Status Full() {
  return MakeError(absl::StatusCode::kResourceExhausted, kProducerFull,
                   "PutRecords",
                   "the producer is full of records that are not answered; "
                   "wait for room");
}

UserPut MakePut(ProducerRecord& record, PutCallback& done,
                ByteBudget::Half half, absl::Duration delivery_timeout) {
  UserPut put;
  Member& member = put.member;
  member.done = std::move(done);
  member.put_at = absl::Now();
  member.expires =
      member.put_at + record.time_to_live.value_or(delivery_timeout);
  member.has_time_to_live = record.time_to_live.has_value();
  member.tag = record.tag;
  member.key_bytes = record.partition_key.size();
  member.data_bytes = record.data.size();
  member.half = half;
  put.record = std::move(record);
  return put;
}

}  // namespace

Producer::Producer(Client& client, ProducerOptions options)
    : options_status_(CheckOptions(options)),
      client_(client),
      shared_(Completed(std::move(options))) {
  watch_ = std::thread([this] { Watch(); });
  on_cancel_.emplace(client.cancellation(), [this] { Abort(); });
}

Producer::~Producer() {
  on_cancel_.reset();
  Abort();
  stop_watch_.Cancel();
  watch_.join();
}

void Producer::Abort() {
  shared_.budget.Close();
  shared_.numbers.Close();
  for (ProducerLane* const lane : AllLanes()) lane->Abort();
}

void Producer::Watch() {
  while (stop_watch_.WaitFor(kWatchInterval)) {
    for (ProducerLane* const lane : AllLanes()) lane->Watch(absl::Now());
    if (shared_.budget.count() > 0) {
      client_.topology().LearnLeaders(absl::Now(), absl::InfiniteFuture());
    }
  }
}

absl::Status Producer::Check(const ProducerRecord& record) const {
  CLIENT_RETURN_IF_ERROR(options_status_);
  return CheckRecord(record, shared_.options.keys_optional);
}

absl::Status Producer::Put(ProducerRecord record, PutCallback done) {
  CLIENT_RETURN_IF_ERROR(Check(record));
  AwaitQuiet(absl::InfiniteFuture());
  const uint64_t bytes = record.bytes();
  auto half = shared_.budget.TryAcquire(bytes);
  if (!half.has_value()) {
    const Waiting waiting(shared_);
    SealAwaited();
    half = shared_.budget.Acquire(bytes);
  }
  if (!half.has_value()) return Closed();
  return Enqueue(record, done, *half, Wait::kYes);
}

absl::Status Producer::TryPut(ProducerRecord&& record, PutCallback&& done) {
  CLIENT_RETURN_IF_ERROR(Check(record));
  const absl::Time now = absl::Now();
  if (LearningIsDue(now) && !LearnShards(absl::InfiniteFuture()) &&
      now < QuietUntil(now)) {
    SealAll();
    return Full();
  }
  const auto half = shared_.budget.TryAcquire(record.bytes());
  if (!half.has_value()) return shared_.budget.closed() ? Closed() : Full();
  return Enqueue(record, done, *half, Wait::kNo);
}

absl::Status Producer::WaitForRoom(absl::Time deadline) {
  CLIENT_RETURN_IF_ERROR(options_status_);
  AwaitQuiet(deadline);
  const Waiting waiting(shared_);
  SealAwaited();
  if (shared_.budget.AwaitRoom(deadline) &&
      shared_.numbers.AwaitRoom(deadline)) {
    return shared_.budget.closed() ? Closed() : absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kDeadlineExceeded, kProducerFull,
                   "PutRecords", "the producer is still full");
}

absl::Status Producer::Enqueue(ProducerRecord& record, PutCallback& done,
                               ByteBudget::Half half, Wait wait) {
  const std::shared_ptr<const ShardMap> shards = Shards();
  const ShardMap::Shard* shard = nullptr;
  if (shards != nullptr) {
    const std::optional<HashKey> key =
        HashKeyOf(record.partition_key, record.explicit_hash_key);
    if (key.has_value()) shard = shards->ShardOf(*key);
  }
  ProducerLane& lane = LaneFor(record, shard);
  // Before an outcome can be counted.
  ++shared_.records_received;
  UserPut put = MakePut(record, done, half, shared_.options.delivery_timeout);
  const bool is_aggregated =
      shared_.options.aggregation.has_value() && shard != nullptr;
  uint64_t number = 0;
  // A user record that joins others shares their number.
  bool needs_number = shared_.is_numbered() && !is_aggregated;
  do {
    if (needs_number) {
      number = TakeNumber(wait);
      if (number == 0) {
        record = std::move(put.record);
        done = std::move(put.member.done);
        --shared_.records_received;
        ByteBudget::Counts one = {};
        one[half] = 1;
        shared_.budget.Release(record.bytes(), one);
        return shared_.budget.closed() ? Closed() : Full();
      }
    }
    needs_number = !lane.Add(put, is_aggregated ? shard : nullptr, number);
  } while (needs_number);
  // Others have made an aggregate that it joined meanwhile.
  if (number != 0) shared_.numbers.Settle(number);
  return absl::OkStatus();
}

void Producer::SealAwaited() {
  if (!shared_.options.aggregation.has_value()) return;
  for (ProducerLane* const lane : AllLanes()) lane->SealIfAwaited();
}

uint64_t Producer::TakeNumber(Wait wait) {
  const uint64_t number = shared_.numbers.TryTake();
  if (number != 0 || wait == Wait::kNo) return number;
  const Waiting waiting(shared_);
  SealAwaited();
  return shared_.numbers.Take();
}

bool Producer::LearningIsDue(absl::Time now) const {
  if (shared_.shards_changed) return true;
  absl::ReaderMutexLock lock(&mu_);
  return client_.topology().IsDue(shared_.options.stream_name, now,
                                  shards_.get());
}

absl::Time Producer::QuietUntil(absl::Time now) {
  const bool changed = shared_.shards_changed;
  absl::MutexLock lock(&mu_);
  if (now >= quiet_at_ || (changed && !change_seen_)) {
    // After a reshard it is worth what is under way, which goes on meanwhile.
    const absl::Duration wait =
        changed ? shared_.options.delivery_timeout : kQuietWait;
    quiet_until_ = now + wait;
    quiet_at_ = quiet_until_ + kQuietPeriod;
    change_seen_ = changed;
  }
  return quiet_until_;
}

void Producer::AwaitQuiet(absl::Time deadline) {
  const uint64_t learned = times_learned_;
  absl::Time now = absl::Now();
  if (!LearningIsDue(now) || LearnShards(deadline)) return;
  const absl::Time until = std::min(QuietUntil(now), deadline);
  if (until <= now) return;
  const Waiting waiting(shared_);
  SealAll();
  for (; now < until && LearningIsDue(now); now = absl::Now()) {
    shared_.budget.WaitUntilEmpty(until,
                                  [&] { return times_learned_ != learned; });
    if (times_learned_ != learned || LearnShards(deadline)) return;
  }
}

bool Producer::LearnShards(absl::Time deadline) {
  if (shared_.budget.count() > 0) return false;
  {
    absl::MutexLock lock(&mu_);
    if (learning_) {
      mu_.AwaitWithDeadline(absl::Condition(this, &Producer::NotLearning),
                            deadline);
      return true;
    }
    // Records under way hold their keys to the lanes they are on. One that
    // comes in from here on waits for what is learned.
    if (shared_.budget.count() > 0) return false;
    learning_ = true;
  }
  // What lanes find from here on, they find with these shards.
  const bool changed = shared_.shards_changed.exchange(false);
  const absl::Time now = absl::Now();
  std::shared_ptr<const ShardMap> shards = client_.topology().ShardsOf(
      shared_.options.stream_name, now,
      std::min(deadline, now + shared_.options.delivery_timeout));
  absl::MutexLock lock(&mu_);
  learning_ = false;
  if (changed) change_seen_ = false;
  shards_ = std::move(shards);
  ++times_learned_;
  return true;
}

ProducerLane& Producer::LaneFor(const ProducerRecord& record,
                                const ShardMap::Shard* shard) {
  const Group group = shard == nullptr ? Group() : Group(shard->group);
  // Aggregates are of a shard.
  const bool by_shard =
      shared_.options.aggregation.has_value() && shard != nullptr;
  const size_t hash = by_shard ? absl::HashOf(shard->range.first)
                               : absl::HashOf(record.partition_key);
  {
    absl::ReaderMutexLock lock(&mu_);
    const auto known = lanes_.find(group);
    if (known != lanes_.end()) return *known->second[hash % LaneCount()];
  }
  absl::MutexLock lock(&mu_);
  Lanes& lanes = lanes_[group];
  while (lanes.size() < LaneCount()) {
    lanes.push_back(std::make_unique<ProducerLane>(client_, shared_, group));
  }
  return *lanes[hash % lanes.size()];
}

std::shared_ptr<const ShardMap> Producer::Shards() {
  absl::ReaderMutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &Producer::NotLearning));
  return shards_;
}

void Producer::SealAll() {
  if (!shared_.options.aggregation.has_value()) return;
  for (ProducerLane* const lane : AllLanes()) lane->Seal();
}

ProducerMetrics Producer::metrics() const {
  ProducerMetrics metrics = shared_.counters.Sum();
  metrics.user_records_received = shared_.records_received;
  metrics.user_records_pending = metrics.user_records_received -
                                 metrics.user_records_put -
                                 metrics.user_records_failed;
  metrics.pending_bytes = shared_.budget.bytes();
  return metrics;
}

std::vector<ProducerLane*> Producer::AllLanes() {
  absl::MutexLock lock(&mu_);
  std::vector<ProducerLane*> all;
  for (const auto& [group, lanes] : lanes_) {
    for (const auto& lane : lanes) all.push_back(lane.get());
  }
  return all;
}

std::future<absl::StatusOr<PutOutcome>> Producer::Put(ProducerRecord record) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<PutOutcome>>>();
  auto future = promise->get_future();
  const absl::Status status =
      Put(std::move(record), [promise](absl::StatusOr<PutOutcome> outcome) {
        promise->set_value(std::move(outcome));
      });
  if (!status.ok()) promise->set_value(status);
  return future;
}

void Producer::Flush() {
  const Waiting waiting(shared_);
  SealAll();
  shared_.budget.Flush();
}

void Producer::Close() {
  if (closed_) return;
  closed_ = true;
  shared_.budget.Close();
  Flush();
  for (ProducerLane* const lane : AllLanes()) lane->Close();
}

}  // namespace trireme::client
