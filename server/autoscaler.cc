#include "server/autoscaler.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/limits.h"
#include "spdlog/spdlog.h"
#include "storage/hash_key.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(1);
constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr absl::Duration kPauseAfterRefusal = absl::Minutes(1);

v1::Command ToCommand(const Stream& stream, const ScalingPlan& plan) {
  v1::Command command;
  if (plan.adjacent.has_value()) {
    v1::MergeShardsCommand& merge = *command.mutable_merge_shards();
    merge.set_stream_id(stream.id.value());
    merge.set_shard(plan.shard.value());
    merge.set_adjacent_shard(plan.adjacent->value());
    merge.set_reason(plan.reason);
    return command;
  }
  v1::SplitShardCommand& split = *command.mutable_split_shard();
  split.set_stream_id(stream.id.value());
  split.set_shard(plan.shard.value());
  split.set_new_starting_hash_key(HashKeyToBytes(plan.new_start));
  split.set_shards_open_max(kShardsMax);
  split.set_reason(plan.reason);
  return command;
}

v1::Command WarmUp(const Stream& stream, uint32_t shards) {
  v1::Command command;
  v1::UpdateShardCountCommand& update = *command.mutable_update_shard_count();
  update.set_stream_id(stream.id.value());
  update.set_target(shards);
  update.set_shards_open_max(kShardsMax);
  update.set_reason(absl::StrFormat("warm throughput of %d MiB/s",
                                    stream.warm->target_mibps));
  return command;
}

// For the log.
std::string Describe(const v1::Command& command) {
  if (command.has_split_shard()) {
    return absl::StrCat("splits shard ", command.split_shard().shard(), ", ",
                        command.split_shard().reason());
  }
  if (command.has_merge_shards()) {
    return absl::StrCat("merges shards ", command.merge_shards().shard(),
                        " and ", command.merge_shards().adjacent_shard(), ", ",
                        command.merge_shards().reason());
  }
  return absl::StrCat("goes to ", command.update_shard_count().target(),
                      " shards for a ", command.update_shard_count().reason());
}

}  // namespace

void Autoscaler::Start() { Tick(); }

void Autoscaler::Tick() {
  RunOnce();
  timers_->After(kPeriod, [this] { Tick(); });
}

void Autoscaler::RunOnce() {
  const absl::Time now = clock_->WallNow();
  const bool leads = replicas_->LeaderOf(kMetaGroup) == replicas_->self();
  std::vector<std::shared_ptr<const Stream>> streams;
  if (leads) streams = catalog_->List("", catalog_->stream_count());
  std::erase_if(streams, [](const auto& stream) {
    return stream->mode != StreamMode::kOnDemand;
  });
  absl::flat_hash_set<StreamId> ids;
  for (const auto& stream : streams) ids.insert(stream->id);
  meter_->Measure(ids, absl::ToUnixMillis(now));

  const auto still_cold = std::exchange(cold_since_, {});
  for (const auto& stream : streams) {
    for (const uint32_t position : stream->open) {
      const auto cold =
          still_cold.find({stream->id, stream->shards[position].index});
      if (cold != still_cold.end()) cold_since_.insert(*cold);
    }
    if (stream->status != StreamStatus::kActive || !MayScale(stream->id, now))
      continue;
    const std::optional<v1::Command> command = Plan(*stream, now);
    if (command) Propose(*stream, *command);
  }
}

bool Autoscaler::MayScale(StreamId stream, absl::Time now) {
  absl::MutexLock lock(&mu_);
  const auto found = not_before_.find(stream);
  if (found == not_before_.end()) return true;
  if (now < found->second) return false;
  not_before_.erase(found);
  return true;
}

std::optional<v1::Command> Autoscaler::Plan(const Stream& stream,
                                            absl::Time now) {
  // A shard takes 1 MiB/s.
  const uint32_t warm = std::min<uint32_t>(
      stream.warm ? stream.warm->target_mibps : 0, kShardsMax);
  if (stream.open.size() < warm) return WarmUp(stream, warm);
  const int64_t now_ms = absl::ToUnixMillis(now);
  if (!meter_->HasWindow(stream.id, now_ms)) return std::nullopt;
  std::vector<MeasuredShard> shards;
  for (const uint32_t position : stream.open) {
    const Shard& shard = stream.shards[position];
    const ShardKey key{stream.id, shard.index};
    MeasuredShard& measured = shards.emplace_back();
    measured.shard = &shard;
    measured.load = meter_->LoadOf(key, now_ms);
    // Where its records go does not follow from their keys.
    if (stream.distribution == RecordDistribution::kAuto)
      measured.load.samples.clear();
    if (IsCold(measured.load, rules_)) {
      measured.cold_since = cold_since_.try_emplace(key, now).first->second;
    } else {
      cold_since_.erase(key);
    }
  }
  ScalingRules rules = rules_;
  rules.shards_min = std::max(rules.shards_min, warm);
  const auto plan = PlanScaling(shards, rules, now);
  if (!plan) return std::nullopt;
  return ToCommand(stream, *plan);
}

void Autoscaler::Propose(const Stream& stream, const v1::Command& command) {
  {
    absl::MutexLock lock(&mu_);
    not_before_[stream.id] = absl::InfiniteFuture();
  }
  replicas_->Propose(ProposalOfCommand(
      kMetaGroup, command.SerializeAsString(), kTimeout,
      [this, id = stream.id, name = stream.name,
       what = Describe(command)](const ProposalOutcome& outcome) {
        if (outcome.status.ok()) {
          spdlog::info("stream {} {}", name, what);
        } else {
          spdlog::warn("stream {} cannot scale now: {}", name,
                       outcome.status.ToString());
        }
        absl::MutexLock lock(&mu_);
        if (outcome.status.ok()) {
          not_before_.erase(id);
        } else {
          not_before_[id] = clock_->WallNow() + kPauseAfterRefusal;
        }
      }));
}

}  // namespace trireme
