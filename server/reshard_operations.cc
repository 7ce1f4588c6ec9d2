#include "server/reshard_operations.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/capacity_operations.h"
#include "server/limits.h"
#include "server/shard_limit.h"
#include "server/validation.h"
#include "storage/errors.h"
#include "storage/hash_key.h"
#include "storage/resharding.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

// "shard S in stream N under account A".
std::string Where(ShardIndex shard, const Stream& stream,
                  const Account& account) {
  return absl::StrCat("shard ", ShardIdToString(shard), " in stream ",
                      stream.name, " under account ", account.id);
}

absl::StatusOr<const Shard*> FindOpenShard(const Stream& stream,
                                           absl::string_view shard_id,
                                           const Account& account) {
  const absl::StatusOr<const Shard*> found =
      FindShard(stream, shard_id, account);
  if (ReasonOf(found.status()) == ErrorReason::kResourceNotFound) {
    return MakeError(
        ErrorReason::kResourceNotFound,
        absl::StrCat("Could not find shard ", shard_id, " in stream ",
                     stream.name, " under account ", account.id, "."));
  }
  RETURN_IF_ERROR(found.status());
  const Shard* const shard = *found;
  if (!shard->end.has_value()) return shard;
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("Shard ", ShardIdToString(shard->index), " in stream ",
                   stream.name, " under account ", account.id,
                   " has already been merged or split, and thus "
                   "is not eligible for merging or splitting."));
}

absl::Status CheckTarget(const Stream& stream, uint32_t target) {
  const size_t open = stream.open.size();
  absl::string_view rule;
  if (target > 2 * open) {
    rule = "scale up over double";
  } else if (2 * size_t{target} < open) {
    rule = "scale down below half";
  } else {
    return absl::OkStatus();
  }
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("UpdateShardCount cannot ", rule,
                   " your current open shard count. Current open shard count: ",
                   open, " Target shard count: ", target));
}

}  // namespace

void ReshardOperations::SplitShard(const SplitShardRequest& request,
                                   absl::Duration timeout, StatusDone done) {
  Violations violations;
  CheckResourceName("shardToSplit", request.shard_to_split, &violations);
  violations.CheckHashKey("newStartingHashKey", request.new_starting_hash_key);
  if (!violations.empty()) return done(violations.ToStatus());
  changes_.Apply(
      request.stream, timeout,
      [this, shard = std::string(request.shard_to_split),
       start = std::string(request.new_starting_hash_key)](
          const Stream& stream) { return PlanSplitOf(stream, shard, start); },
      std::move(done));
}

absl::StatusOr<v1::Command> ReshardOperations::PlanSplitOf(
    const Stream& stream, absl::string_view shard_id,
    absl::string_view new_start_text) const {
  const Account& account = router_->account();
  RETURN_IF_ERROR(CheckMode(stream, StreamMode::kProvisioned, account));
  ASSIGN_OR_RETURN(const Shard* shard,
                   FindOpenShard(stream, shard_id, account));
  const absl::StatusOr<HashKey> new_start =
      ParseExplicitHashKey(new_start_text);
  if (!new_start.ok() || !PlanSplit(stream, shard->index, *new_start).ok()) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("NewStartingHashKey ", new_start_text,
                     " used in SplitShard() on ",
                     Where(shard->index, stream, account),
                     " is not both greater than one plus the shard's "
                     "StartingHashKey ",
                     HashKeyToString(shard->range.start),
                     " and less than the shard's EndingHashKey ",
                     HashKeyToString(shard->range.end), "."));
  }
  RETURN_IF_ERROR(
      CheckShardLimit(router_->catalog(), group_count_, 1, account));
  v1::Command command;
  v1::SplitShardCommand& split = *command.mutable_split_shard();
  split.set_stream_id(stream.id.value());
  split.set_shard(shard->index.value());
  split.set_new_starting_hash_key(HashKeyToBytes(*new_start));
  split.set_shards_open_max(kShardsMax);
  return command;
}

void ReshardOperations::MergeShards(const MergeShardsRequest& request,
                                    absl::Duration timeout, StatusDone done) {
  Violations violations;
  CheckResourceName("shardToMerge", request.shard_to_merge, &violations);
  CheckResourceName("adjacentShardToMerge", request.adjacent_shard_to_merge,
                    &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  changes_.Apply(
      request.stream, timeout,
      [this, shard = std::string(request.shard_to_merge),
       adjacent =
           std::string(request.adjacent_shard_to_merge)](const Stream& stream) {
        return PlanMergeOf(stream, shard, adjacent);
      },
      std::move(done));
}

absl::StatusOr<v1::Command> ReshardOperations::PlanMergeOf(
    const Stream& stream, absl::string_view shard_id,
    absl::string_view adjacent_id) const {
  const Account& account = router_->account();
  RETURN_IF_ERROR(CheckMode(stream, StreamMode::kProvisioned, account));
  ASSIGN_OR_RETURN(const Shard* shard,
                   FindOpenShard(stream, shard_id, account));
  ASSIGN_OR_RETURN(const Shard* adjacent,
                   FindOpenShard(stream, adjacent_id, account));
  if (!PlanMerge(stream, shard->index, adjacent->index).ok()) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("Shards ", ShardIdToString(shard->index), " and ",
                     ShardIdToString(adjacent->index), " in stream ",
                     stream.name, " under account ", account.id,
                     " are not an adjacent pair of shards eligible for "
                     "merging"));
  }
  v1::Command command;
  v1::MergeShardsCommand& merge = *command.mutable_merge_shards();
  merge.set_stream_id(stream.id.value());
  merge.set_shard(shard->index.value());
  merge.set_adjacent_shard(adjacent->index.value());
  return command;
}

void ReshardOperations::UpdateShardCount(const UpdateShardCountRequest& request,
                                         absl::Duration timeout,
                                         Done<UpdateShardCountResponse> done) {
  Violations violations;
  if (request.target_shard_count < 1) {
    violations.CheckRange("targetShardCount", request.target_shard_count, 1,
                          static_cast<int64_t>(kShardsMax));
  }
  if (!violations.empty()) return done(violations.ToStatus());
  const auto target = static_cast<uint32_t>(request.target_shard_count);
  changes_.Change(
      request.stream, timeout,
      [this, target](const Stream& stream) {
        return PlanCountOf(stream, target);
      },
      [target,
       done = std::move(done)](absl::StatusOr<ChangedStream> changed) mutable {
        if (!changed.ok()) return done(changed.status());
        done(UpdateShardCountResponse{std::move(changed->before), target});
      });
}

absl::StatusOr<v1::Command> ReshardOperations::PlanCountOf(
    const Stream& stream, uint32_t target) const {
  RETURN_IF_ERROR(
      CheckMode(stream, StreamMode::kProvisioned, router_->account()));
  RETURN_IF_ERROR(CheckTarget(stream, target));
  // Shards that are there only on the way count too.
  RETURN_IF_ERROR(
      CheckShardLimit(router_->catalog(), group_count_,
                      PeakShards(stream, target) - stream.open.size(),
                      router_->account()));
  v1::Command command;
  v1::UpdateShardCountCommand& update = *command.mutable_update_shard_count();
  update.set_stream_id(stream.id.value());
  update.set_target(target);
  update.set_shards_open_max(kShardsMax);
  update.set_times_a_day_max(
      rates_->DailyMax(stream, DailyChange::kShardCount));
  return command;
}

}  // namespace trireme
