#include "storage/reshard_commands.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "storage/catalog_tables.h"
#include "storage/clock.h"
#include "storage/hash_key.h"
#include "storage/resharding.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

using Ends = absl::flat_hash_map<ShardIndex, Counter>;

CatalogDecision Begin(std::shared_ptr<Stream> stream,
                      std::vector<Reshard> reshards, int64_t stamp_ms,
                      ShardPlaces places) {
  BeginReshards(std::move(reshards), UnixSecondOf(stamp_ms), &places,
                stream.get());
  CatalogDecision decision;
  decision.put = std::move(stream);
  return decision;
}

// Of what the cluster does by itself, why.
void NoteDecision(const std::string& reason, ScalingAction action,
                  std::vector<ShardIndex> shards, int64_t stamp_ms,
                  Stream* stream) {
  if (reason.empty()) return;
  std::vector<ScalingDecision>& kept = stream->scaling_decisions;
  if (kept.size() == kScalingDecisionsKept) kept.erase(kept.begin());
  kept.push_back(
      {absl::FromUnixMillis(stamp_ms), action, std::move(shards), reason});
}

absl::StatusOr<Reshard> PlanOf(const Stream& stream,
                               const v1::SplitShardCommand& command) {
  HashKey new_start = 0;
  if (!HashKeyFromBytes(command.new_starting_hash_key(), &new_start)) {
    return MakeError(ErrorReason::kInvalidArgument,
                     "a hash key of other than 16 bytes");
  }
  return PlanSplit(stream, ShardIndex(command.shard()), new_start);
}

// Closes the parents that have an end and shows their children; what has not
// stays under way.
void Complete(const Ends& ends, uint64_t now_s, Stream* stream) {
  const auto has_end = [&ends](ShardIndex parent) {
    return ends.contains(parent);
  };
  std::vector<Reshard> under_way;
  std::vector<Shard> shards = stream->shards;
  for (Reshard& reshard : stream->reshards) {
    if (!std::all_of(reshard.parents.begin(), reshard.parents.end(), has_end)) {
      under_way.push_back(std::move(reshard));
      continue;
    }
    for (const ShardIndex parent : reshard.parents) {
      Shard& closed = shards[static_cast<size_t>(stream->FindShard(parent) -
                                                 stream->shards.data())];
      closed.end = ends.at(parent);
      closed.closed_s = now_s;
    }
    shards.insert(shards.end(), reshard.children.begin(),
                  reshard.children.end());
  }
  std::sort(shards.begin(), shards.end(),
            [](const Shard& a, const Shard& b) { return a.index < b.index; });
  stream->shards = std::move(shards);
  stream->reshards = std::move(under_way);
  ListOpenShards(stream);
}

}  // namespace

CatalogDecision SplitShard(const CatalogState& state,
                           const v1::SplitShardCommand& command,
                           int64_t stamp_ms) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  absl::StatusOr<Reshard> plan = PlanOf(**stream, command);
  if (!plan.ok()) return Refuse(plan.status());
  ShardPlaces places = PlacesOf(state);
  absl::Status room = CheckShardRoom(places, 1, command.shards_open_max());
  if (!room.ok()) return Refuse(std::move(room));
  NoteDecision(command.reason(), ScalingAction::kSplitShard, plan->parents,
               stamp_ms, stream->get());
  return Begin(*std::move(stream), {*std::move(plan)}, stamp_ms,
               std::move(places));
}

CatalogDecision MergeShards(const CatalogState& state,
                            const v1::MergeShardsCommand& command,
                            int64_t stamp_ms) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  absl::StatusOr<Reshard> plan =
      PlanMerge(**stream, ShardIndex(command.shard()),
                ShardIndex(command.adjacent_shard()));
  if (!plan.ok()) return Refuse(plan.status());
  NoteDecision(command.reason(), ScalingAction::kMergeShards, plan->parents,
               stamp_ms, stream->get());
  return Begin(*std::move(stream), {*std::move(plan)}, stamp_ms,
               PlacesOf(state));
}

CatalogDecision UpdateShardCount(const CatalogState& state,
                                 const v1::UpdateShardCountCommand& command,
                                 int64_t stamp_ms) {
  auto found = TakeActive(state, command.stream_id());
  if (!found.ok()) return Refuse(found.status());
  absl::Status count = CheckShardCount(command.target());
  if (!count.ok()) return Refuse(std::move(count));
  std::shared_ptr<Stream> stream = *std::move(found);
  std::vector<Reshard> round = PlanRound(*stream, command.target());
  if (round.empty()) return CatalogDecision();
  ShardPlaces places = PlacesOf(state);
  absl::Status room = CheckShardRoom(
      places, PeakShards(*stream, command.target()) - stream->open.size(),
      command.shards_open_max());
  if (!room.ok()) return Refuse(std::move(room));
  absl::Status often =
      NoteDailyChange(DailyChange::kShardCount, command.times_a_day_max(),
                      stamp_ms, stream->name, &stream->daily_changes);
  if (!often.ok()) return Refuse(std::move(often));
  stream->shard_count_target = command.target();
  NoteDecision(command.reason(), ScalingAction::kUpdateShardCount, {}, stamp_ms,
               stream.get());
  return Begin(std::move(stream), std::move(round), stamp_ms,
               std::move(places));
}

CatalogDecision CompleteReshards(const CatalogState& state,
                                 const v1::CompleteReshardsCommand& command,
                                 int64_t stamp_ms) {
  const auto found = state.catalog.Find(StreamId(command.stream_id()));
  if (found == nullptr) return RefuseUnknown(command.stream_id());
  // Come late, while the stream is UPDATING for something else: not its end.
  if (found->status != StreamStatus::kUpdating ||
      found->retention_hours_next != 0)
    return CatalogDecision();
  Ends ends;
  for (const v1::ShardEnd& end : command.ends())
    ends[ShardIndex(end.shard())] = end.end_counter();
  auto stream = std::make_shared<Stream>(*found);
  Complete(ends, UnixSecondOf(stamp_ms), stream.get());
  CatalogDecision decision;
  if (!stream->reshards.empty()) {
    if (stream->reshards.size() < found->reshards.size())
      decision.put = std::move(stream);
    return decision;
  }
  if (stream->shard_count_target != 0) {
    std::vector<Reshard> round = PlanRound(*stream, stream->shard_count_target);
    if (!round.empty()) {
      return Begin(std::move(stream), std::move(round), stamp_ms,
                   PlacesOf(state));
    }
    stream->shard_count_target = 0;
  }
  MakeActive(stream.get());
  decision.put = std::move(stream);
  return decision;
}

CatalogDecision ForgetShards(const CatalogState& state,
                             const v1::ForgetShardsCommand& command,
                             int64_t stamp_ms) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  const absl::Time now = absl::FromUnixMillis(stamp_ms);
  const absl::flat_hash_set<uint32_t> named(command.shards().begin(),
                                            command.shards().end());
  const std::vector<Shard> shards = std::exchange((*stream)->shards, {});
  for (const Shard& shard : shards) {
    const bool forgotten =
        named.contains(shard.index.value()) && (*stream)->IsExpired(shard, now);
    (forgotten ? (*stream)->forgotten : (*stream)->shards).push_back(shard);
  }
  CatalogDecision decision;
  if ((*stream)->shards.size() == shards.size()) return decision;
  ListOpenShards(stream->get());
  decision.put = *std::move(stream);
  return decision;
}

CatalogDecision CompleteForget(const CatalogState& state,
                               const v1::CompleteForgetCommand& command) {
  const auto found = state.catalog.Find(StreamId(command.stream_id()));
  if (found == nullptr) return RefuseUnknown(command.stream_id());
  auto stream = std::make_shared<Stream>(*found);
  const absl::flat_hash_set<uint32_t> named(command.shards().begin(),
                                            command.shards().end());
  const size_t dropped =
      std::erase_if(stream->forgotten, [&named](const Shard& shard) {
        return named.contains(shard.index.value());
      });
  CatalogDecision decision;
  if (dropped > 0) decision.put = std::move(stream);
  return decision;
}

}  // namespace trireme
