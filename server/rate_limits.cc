#include "server/rate_limits.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "storage/check.h"
#include "storage/errors.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

// How long a leader is waited for before the call goes on without it.
constexpr absl::Duration kAskTimeoutMax = absl::Seconds(1);

struct OperationRate {
  Operation operation;
  absl::string_view name;
  uint64_t per_second;
  bool is_of_stream = false;  // Else of the account.
};
constexpr OperationRate kOperationRates[] = {
    {Operation::kAddTagsToStream, "AddTagsToStream", 5},
    {Operation::kCreateStream, "CreateStream", 5},
    {Operation::kDecreaseStreamRetentionPeriod, "DecreaseStreamRetentionPeriod",
     5},
    {Operation::kDeleteStream, "DeleteStream", 5},
    {Operation::kDeregisterStreamConsumer, "DeregisterStreamConsumer", 5, true},
    {Operation::kDescribeAccountSettings, "DescribeAccountSettings", 5},
    {Operation::kDescribeLimits, "DescribeLimits", 1},
    {Operation::kDescribeStream, "DescribeStream", 10},
    {Operation::kDescribeStreamConsumer, "DescribeStreamConsumer", 20, true},
    {Operation::kDescribeStreamSummary, "DescribeStreamSummary", 20},
    {Operation::kDisableEnhancedMonitoring, "DisableEnhancedMonitoring", 5},
    {Operation::kEnableEnhancedMonitoring, "EnableEnhancedMonitoring", 5},
    {Operation::kIncreaseStreamRetentionPeriod, "IncreaseStreamRetentionPeriod",
     5},
    {Operation::kListShards, "ListShards", 1000, true},
    {Operation::kListStreamConsumers, "ListStreamConsumers", 5, true},
    {Operation::kListStreams, "ListStreams", 5},
    {Operation::kListTagsForStream, "ListTagsForStream", 5},
    {Operation::kMergeShards, "MergeShards", 5},
    {Operation::kRegisterStreamConsumer, "RegisterStreamConsumer", 5},
    {Operation::kRemoveTagsFromStream, "RemoveTagsFromStream", 5},
    {Operation::kSplitShard, "SplitShard", 5},
    {Operation::kUpdateAccountSettings, "UpdateAccountSettings", 5},
    {Operation::kUpdateShardCount, "UpdateShardCount", 10},
    {Operation::kUpdateStreamWarmThroughput, "UpdateStreamWarmThroughput", 5},
};

const OperationRate& RateOf(Operation operation) {
  const auto* const found =
      std::find_if(std::begin(kOperationRates), std::end(kOperationRates),
                   [operation](const OperationRate& rate) {
                     return rate.operation == operation;
                   });
  CHECK(found != std::end(kOperationRates), "an operation without a rate");
  return *found;
}

// As many calls a second, at once if need be.
RateCharge CallOf(std::string bucket, uint64_t per_second) {
  return {std::move(bucket), {per_second, per_second}};
}

// Of what is read of a shard; `what` tells its buckets apart.
std::string BucketOf(absl::string_view what, const Stream& stream,
                     const Shard& shard) {
  return absl::StrCat(what, "/", stream.id.value(), "/", shard.index.value());
}

RateCharge ReadOf(const Stream& stream, const Shard& shard, uint64_t bytes) {
  return {BucketOf("GetRecords.bytes", stream, shard),
          {kShardReadBytesPerSecond, kShardReadBytesPerSecond},
          bytes,
          /*after_the_fact=*/bytes > 0};
}

std::string ShardRateExceeded(const Shard& shard, absl::string_view stream_name,
                              const Account& account, absl::string_view limit) {
  return absl::StrCat("Rate exceeded for shard ", ShardIdToString(shard.index),
                      " in stream ", stream_name, " under account ", account.id,
                      ". ", limit);
}

}  // namespace

absl::Status ShardPutsExceeded(const Shard& shard,
                               absl::string_view stream_name,
                               const Account& account,
                               std::optional<absl::Duration> retry_after) {
  absl::Status status =
      MakeError(ErrorReason::kProvisionedThroughputExceeded,
                ShardRateExceeded(
                    shard, stream_name, account,
                    absl::StrCat("It takes ", kShardRecordsPerSecond,
                                 " records and ", kShardBytesPerSecond,
                                 " bytes a second, partition keys included.")));
  if (!retry_after.has_value()) return status;
  return WithRetryAfter(std::move(status), *retry_after);
}

void RateLimits::Enter(Operation operation, absl::string_view stream_name,
                       absl::Duration timeout, Answered answered) const {
  const OperationRate& rate = RateOf(operation);
  const bool limited =
      rate.is_of_stream
          ? !stream_name.empty() && options_.LimitsStream(stream_name)
          : options_.LimitsAccount();
  if (!limited) return answered(absl::OkStatus());
  std::string bucket(rate.name);
  std::string message = "Rate exceeded for ";
  if (rate.is_of_stream) {
    absl::StrAppend(&bucket, "/", stream_name);
    absl::StrAppend(&message, "stream ", stream_name);
  } else {
    absl::StrAppend(&message, rate.name);
  }
  absl::StrAppend(&message, " under account ", account_.id, ". ", rate.name,
                  " takes ", rate.per_second, " calls a second.");
  Ask(kMetaGroup, {CallOf(std::move(bucket), rate.per_second)},
      MakeError(ErrorReason::kLimitExceeded, message), timeout,
      std::move(answered));
}

void RateLimits::EnterGetRecords(const Stream& stream, const Shard& shard,
                                 absl::Duration timeout,
                                 Answered answered) const {
  if (!limit_any_ || !options_.LimitsStream(stream.name)) {
    return answered(absl::OkStatus());
  }
  Ask(shard.group,
      {CallOf(BucketOf("GetRecords", stream, shard), kShardReadsPerSecond),
       ReadOf(stream, shard, 0)},
      MakeError(ErrorReason::kProvisionedThroughputExceeded,
                ShardRateExceeded(
                    shard, stream.name, account_,
                    absl::StrCat("GetRecords takes ", kShardReadsPerSecond,
                                 " calls and gives ", kShardReadBytesPerSecond,
                                 " bytes a second."))),
      timeout, std::move(answered));
}

void RateLimits::CountRead(const Stream& stream, const Shard& shard,
                           uint64_t bytes) const {
  if (!limit_any_ || bytes == 0 || !options_.LimitsStream(stream.name)) return;
  Ask(shard.group, {ReadOf(stream, shard, bytes)}, absl::OkStatus(),
      kAskTimeoutMax, [](absl::Status) {});
}

void RateLimits::EnterGetShardIterator(const Stream& stream, const Shard& shard,
                                       absl::Duration timeout,
                                       Answered answered) const {
  if (!limit_any_ || !options_.LimitsStream(stream.name)) {
    return answered(absl::OkStatus());
  }
  Ask(shard.group,
      {CallOf(BucketOf("GetShardIterator", stream, shard),
              kShardIteratorsPerSecond)},
      MakeError(ErrorReason::kProvisionedThroughputExceeded,
                ShardRateExceeded(shard, stream.name, account_,
                                  absl::StrCat("GetShardIterator takes ",
                                               kShardIteratorsPerSecond,
                                               " calls a second."))),
      timeout, std::move(answered));
}

void RateLimits::EnterSubscribe(const Stream& stream, const Shard& shard,
                                absl::string_view consumer,
                                absl::Duration timeout,
                                Answered answered) const {
  if (!limit_any_ || !options_.LimitsStream(stream.name)) {
    return answered(absl::OkStatus());
  }
  Ask(shard.group,
      {CallOf(absl::StrCat(BucketOf("SubscribeToShard", stream, shard), "/",
                           consumer),
              kConsumerSubscribesPerSecond)},
      MakeError(ErrorReason::kLimitExceeded,
                ShardRateExceeded(shard, stream.name, account_,
                                  absl::StrCat("SubscribeToShard takes ",
                                               kConsumerSubscribesPerSecond,
                                               " call a second of consumer ",
                                               consumer, "."))),
      timeout, std::move(answered));
}

uint32_t RateLimits::DailyMax(const Stream& stream, DailyChange change) const {
  if (!limit_any_ || !options_.LimitsStream(stream.name)) return 0;
  switch (change) {
    case DailyChange::kShardCount:
      return 10;
    case DailyChange::kMode:
      return 2;
    case DailyChange::kEncryptionStart:
    case DailyChange::kEncryptionStop:
      return 25;
  }
  return 0;
}

std::optional<Rate> RateLimits::PushRate(const Stream& stream) const {
  if (!limit_any_ || !options_.LimitsStream(stream.name)) return std::nullopt;
  return Rate{kConsumerBytesPerSecond, kConsumerBytesPerSecond};
}

void RateLimits::Ask(GroupId group, std::vector<RateCharge> charges,
                     absl::Status refusal, absl::Duration timeout,
                     Answered answered) const {
  auto body = std::make_shared<ProposalBody>();
  body->charges = std::move(charges);
  replicas_->Propose(
      {group, std::move(body), std::min(timeout, kAskTimeoutMax),
       [refusal = std::move(refusal),
        answered = std::move(answered)](ProposalOutcome outcome) mutable {
         if (ReasonOf(outcome.status) !=
             ErrorReason::kProvisionedThroughputExceeded) {
           return answered(absl::OkStatus());
         }
         answered(WithRetryAfter(
             std::move(refusal),
             RetryAfterOf(outcome.status).value_or(absl::Seconds(1))));
       }});
}

}  // namespace trireme
