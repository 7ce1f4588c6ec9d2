// StateMachine's side of catch-up: giving a group's state to a replica that is
// too far behind, and taking it from one (design.md D11).
#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/group_rows.h"
#include "storage/retention.h"
#include "storage/state_machine.h"
#include "storage/status_macros.h"
#include "storage/table_rows.h"

namespace trireme {
namespace {

// What an interrupted catch-up of our own left beyond our position is not ours
// to give: a receiver would take our counters for blocks that it never gets.
void HideBlocksBeyond(LogIndex index, std::vector<ShardChange>* shards) {
  std::erase_if(*shards, [](const ShardChange& shard) {
    return !shard.record.opened && !shard.record.dropped;
  });
  for (ShardChange& shard : *shards) {
    shard.record.next = std::min(shard.record.next, MakeCounter(index + 1, 0));
  }
}

}  // namespace

absl::StatusOr<std::string> StateMachine::DescribeHeld(GroupId group) {
  return EncodeHeld(shards_.List(group));
}

absl::StatusOr<std::unique_ptr<StateSource>> StateMachine::OpenSource(
    GroupId group, absl::string_view held) {
  CHECK(group.value() < options_.group_count, "no such group here");
  ASSIGN_OR_RETURN(const HeldShards held_shards, DecodeHeld(held));
  // No writer meanwhile: position, tables and snapshot are of one moment.
  absl::MutexLock lock(&write_mu_);
  const AppliedPosition position = Applied(group);
  if (group == kMetaGroup) {
    CatalogSourceParts parts;
    parts.streams = catalog_.List("", catalog_.stream_count());
    parts.next_stream_id = next_stream_id_;
    parts.account = catalog_.account();
    parts.groups = RowsOf(leases_.groups());
    parts.store = store_.get();
    parts.snapshot = store_->NewSnapshot();
    return MakeCatalogSource(group, position, std::move(parts));
  }
  ShardSourceParts parts;
  parts.store = store_.get();
  parts.log = shard_log_.get();
  parts.shards = shards_.List(group);
  parts.claims = claims_[group.value()];
  HideBlocksBeyond(position.index, &parts.shards);
  parts.snapshot = store_->NewSnapshot();
  for (const RetentionClass retention : kRetentionClasses) {
    const TimePartitions& partitions = partitions_->of(retention);
    for (auto partition = partitions.FirstFrom(group, 0); partition;
         partition = partitions.After(group, partition->number))
      parts.partitions.push_back(*partition);
  }
  return MakeShardSource(group, position, std::move(parts), held_shards);
}

absl::Status StateMachine::InstallChunk(GroupId group,
                                        absl::string_view chunk) {
  CHECK(group.value() < options_.group_count, "no such group here");
  absl::MutexLock lock(&write_mu_);
  RETURN_IF_ERROR(CheckMemory());
  std::vector<BlockView> blocks;
  const absl::Status added = installs_[group].Add(group, chunk, &blocks);
  // Damaged where it came from, or on its way: not on this disk.
  if (!added.ok()) return absl::InvalidArgumentError(added.message());
  return InstallBlocks(group, blocks);
}

absl::Status StateMachine::InstallBlocks(GroupId group,
                                         std::span<const BlockView> blocks) {
  // Shards of the chunk as they will be. Whether they are open, sealed or
  // dropped is not touched before FinishInstall: entries between our position
  // and the source's may still come through the log instead.
  absl::flat_hash_map<ShardKey, ShardRecord> shards;
  std::array<std::vector<const BlockView*>, kRetentionClasses.size()> wanted;
  for (const BlockView& block : blocks) {
    auto [at, is_new] = shards.try_emplace(block.id.shard);
    if (is_new) {
      at->second = shards_.Find(group, block.id.shard).value_or(ShardRecord());
    }
    ShardRecord& record = at->second;
    if (block.id.first < record.next || record.dropped) continue;
    const RetentionClass retention =
        ClassOfRetention(installs_[group].RetentionHoursOf(block.id.shard));
    record.GoOnIn(retention);
    record.next = block.last() + 1;
    record.last_arrival_ms = std::max(record.last_arrival_ms, block.arrival_ms);
    wanted[PlaceOf(retention)].push_back(&block);
  }
  BeginBatch();
  for (const RetentionClass retention : kRetentionClasses)
    RETURN_IF_ERROR(PutBlocks(group, retention, wanted[PlaceOf(retention)]));
  for (const auto& [shard, record] : shards) PutShard(group, {shard, record});
  return WriteBatch(group);
}

absl::Status StateMachine::FinishInstall(GroupId group,
                                         const AppliedPosition& position) {
  CHECK(group.value() < options_.group_count, "no such group here");
  {
    absl::MutexLock lock(&write_mu_);
    const auto install = installs_.find(group);
    if (install == installs_.end() || !install->second.complete() ||
        install->second.position().index != position.index) {
      return absl::FailedPreconditionError(
          absl::StrCat("catch-up of group ", group.value(), " to index ",
                       position.index, " is not complete"));
    }
    // A source behind us has nothing to give.
    if (position.index > Applied(group).index) {
      BeginBatch();
      if (group == kMetaGroup) {
        InstallCatalog(install->second);
      } else {
        RETURN_IF_ERROR(InstallShards(group, install->second));
      }
      AppliedPosition installed = position;
      installed.installed = position.index;
      PutPosition(group, installed);
      RETURN_IF_ERROR(WriteBatch(group));
      PublishPosition(group, installed);
    }
    installs_.erase(install);
  }
  return Flush();
}

absl::Status StateMachine::InstallShards(GroupId group,
                                         const GroupInstall& install) {
  for (const ShardChange& shard : install.shards()) {
    ShardChange merged = shard;
    // Where the source has its blocks is its own affair.
    merged.record.newest_in = ShardRecord().newest_in;
    merged.record.elsewhere.clear();
    if (const auto held = shards_.Find(group, shard.shard)) {
      // An earlier pull from a source further ahead may have brought more.
      merged.record.next = std::max(shard.record.next, held->next);
      merged.record.last_arrival_ms =
          std::max(shard.record.last_arrival_ms, held->last_arrival_ms);
      merged.record.newest_in = held->newest_in;
      merged.record.elsewhere = held->elsewhere;
    }
    PutShard(group, merged);
  }
  PutClaims(group, install.claims());
  RETURN_IF_ERROR(DeleteProducers(group));
  PutProducers(group, {install.producers().begin(), install.producers().end()});
  return absl::OkStatus();
}

void StateMachine::InstallCatalog(const GroupInstall& install) {
  absl::flat_hash_set<StreamId> kept;
  for (const auto& stream : install.streams()) kept.insert(stream->id);
  for (const auto& stream : catalog_.List("", catalog_.stream_count())) {
    if (!kept.contains(stream->id)) RemoveStream(stream->id);
  }
  for (const auto& stream : install.streams()) PutStream(stream);
  PutNextStreamId(install.next_stream_id());
  PutAccount(install.account());
  InstallGroups(install.groups());
  PutTables(Difference(tables_.tables(), install.tables()));
}

}  // namespace trireme
