#include "client/producer.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "client/producer_lane.h"
#include "client/status_macros.h"
#include "client/utf8.h"

namespace trireme::client {
namespace {

constexpr uint64_t kRecordBytesMax = 10 << 20;
constexpr size_t kKeyCharactersMax = 256;
constexpr absl::Duration kWatchInterval = absl::Seconds(1);
// How long Put waits for a moment at which no record is under way, and how
// often.
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
  const uint64_t bytes = record.partition_key.size() + record.data.size();
  if (bytes > kRecordBytesMax) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "ValidationException", "PutRecords",
        absl::StrCat("the record is ", bytes, " bytes with its key; the limit ",
                     "is ", kRecordBytesMax));
  }
  return absl::OkStatus();
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
  return MakeError(
      absl::StatusCode::kInvalidArgument, "InvalidArgumentException",
      "PutRecords",
      absl::StrCat("a producer's identity needs an id, an epoch and a first "
                   "number of 1 or more; they are '",
                   identity.id, "', ", identity.epoch, " and ",
                   identity.first_number));
}

}  // namespace

Producer::Producer(Client& client, ProducerOptions options)
    : options_(Completed(std::move(options))),
      client_(client),
      budget_(options_.unanswered_bytes_max),
      numbers_(std::max<uint64_t>(options_.identity->first_number, 1)) {
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
  budget_.Close();
  numbers_.Close();
  for (ProducerLane* const lane : AllLanes()) lane->Abort();
}

void Producer::Watch() {
  while (stop_watch_.WaitFor(kWatchInterval)) {
    for (ProducerLane* const lane : AllLanes()) {
      lane->BreakIfSilent(absl::Now());
    }
    if (budget_.count() > 0) {
      client_.topology().LearnLeaders(absl::Now(), absl::InfiniteFuture());
    }
  }
}

absl::Status Producer::Put(ProducerRecord record, PutCallback done) {
  CLIENT_RETURN_IF_ERROR(CheckIdentity(*options_.identity));
  CLIENT_RETURN_IF_ERROR(CheckRecord(record, options_.keys_optional));
  AwaitQuietIfDue();
  if (!budget_.Acquire(record.partition_key.size() + record.data.size())) {
    return Closed();
  }
  uint64_t number = 0;
  if (options_.delivery == Delivery::kExactlyOnce) {
    number = numbers_.Take();
    if (number == 0) {
      budget_.Release(record.partition_key.size() + record.data.size());
      return Closed();
    }
  }
  LaneFor(record).Add(std::move(record), number, std::move(done));
  return absl::OkStatus();
}

void Producer::AwaitQuietIfDue() {
  const absl::Time now = absl::Now();
  if (!client_.topology().IsDue(options_.stream_name, now)) return;
  absl::Time until;
  {
    absl::MutexLock lock(&mu_);
    if (now >= quiet_at_) {
      quiet_at_ = now + kQuietPeriod;
      quiet_until_ = now + kQuietWait;
    }
    until = quiet_until_;
  }
  budget_.WaitUntilEmpty(until - now);
}

ProducerLane& Producer::LaneFor(const ProducerRecord& record) {
  const Group group = GroupOf(record);
  absl::MutexLock lock(&mu_);
  Lanes& lanes = lanes_[group];
  while (lanes.size() < static_cast<size_t>(std::max(options_.lanes, 1))) {
    lanes.push_back(std::make_unique<ProducerLane>(client_, options_, budget_,
                                                   numbers_, group));
  }
  return *lanes[absl::HashOf(record.partition_key) % lanes.size()];
}

Producer::Group Producer::GroupOf(const ProducerRecord& record) {
  const std::shared_ptr<const ShardMap> shards = Shards();
  if (shards == nullptr) return std::nullopt;
  return shards->GroupOf(record.partition_key, record.explicit_hash_key);
}

std::shared_ptr<const ShardMap> Producer::Shards() {
  {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &Producer::NotLearning));
    // Records under way hold their keys to the lanes they are on: what is
    // learned counts from a moment on when ours is the only one.
    if (budget_.count() > 1) return shards_;
    learning_ = true;
  }
  const absl::Time now = absl::Now();
  std::shared_ptr<const ShardMap> shards = client_.topology().ShardsOf(
      options_.stream_name, now, now + options_.delivery_timeout);
  absl::MutexLock lock(&mu_);
  learning_ = false;
  shards_ = shards;
  return shards;
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

void Producer::Flush() { budget_.WaitUntilEmpty(absl::InfiniteDuration()); }

void Producer::Close() {
  if (closed_) return;
  closed_ = true;
  Flush();
  budget_.Close();
  for (ProducerLane* const lane : AllLanes()) lane->Close();
}

}  // namespace trireme::client
