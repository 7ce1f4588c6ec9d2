// StateMachine's retention: partitions go when nobody wants a record of them
// any more (design.md D4). What is wanted longer than its partition was made
// for, since the retention was raised, moves to partitions that are longer.
#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "absl/container/btree_map.h"
#include "storage/clock.h"
#include "storage/retention.h"
#include "storage/state_machine.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// Of blocks that are copied in one batch.
constexpr size_t kCopyBytes = 4u << 20;

// By any shard that has blocks in a partition of these times. `newest`: when
// the newest block in partitions of its class arrived, by hours of retention.
bool IsWanted(const absl::btree_map<uint32_t, int64_t>& newest,
              const PartitionTimes& times, int64_t now_ms) {
  return std::any_of(newest.begin(), newest.end(), [&](const auto& shards) {
    const auto& [hours, last_ms] = shards;
    return last_ms >= times.first_ms &&
           times.last_ms >= now_ms - HoursToMs(hours);
  });
}

// By the shard, of a partition of these times.
bool IsWanted(const ShardRecord& record, const PartitionTimes& times,
              int64_t now_ms) {
  if (record.dropped) return false;
  return !record.opened ||
         times.last_ms >= now_ms - HoursToMs(record.retention_hours);
}

// Blocks on their way from one partition to another.
struct Copies {
  std::deque<std::string> values;  // That the blocks are views of.
  std::vector<BlockView> blocks;
  size_t bytes = 0;

  absl::Status Add(absl::string_view key, absl::string_view value) {
    values.emplace_back(value);
    ASSIGN_OR_RETURN(const BlockView block, VerifyBlock(key, values.back()));
    blocks.push_back(block);
    bytes += value.size();
    return absl::OkStatus();
  }
};

}  // namespace

absl::Status StateMachine::PutBlocks(GroupId group, RetentionClass retention,
                                     std::span<const BlockView* const> blocks) {
  if (blocks.empty()) return absl::OkStatus();
  Arrival arrival;
  arrival.group = group;
  arrival.first_index = CounterIndex(blocks.front()->id.first);
  arrival.first_ms = blocks.front()->arrival_ms;
  arrival.last_ms = blocks.front()->arrival_ms;
  std::map<uint64_t, LogIndex> moments;
  for (const BlockView* block : blocks) {
    const LogIndex index = CounterIndex(block->id.first);
    arrival.first_index = std::min(arrival.first_index, index);
    arrival.last_index = std::max(arrival.last_index, index);
    arrival.first_ms = std::min(arrival.first_ms, block->arrival_ms);
    arrival.last_ms = std::max(arrival.last_ms, block->arrival_ms);
    arrival.bytes += block->value.size();
    const uint64_t second = UnixSecondOf(block->arrival_ms);
    LogIndex& lowest = moments.try_emplace(second, index).first->second;
    lowest = std::min(lowest, index);
  }
  std::vector<Moment> moment_list;
  for (const auto& [second, index] : moments)
    moment_list.push_back({second, index});
  ASSIGN_OR_RETURN(
      const Store::FamilyRef family,
      partitions_->of(retention).Place(arrival, moment_list, &batch_));
  for (const BlockView* block : blocks)
    batch_.Put(*family, BlockKey(block->id).view(), block->value);
  return absl::OkStatus();
}

// --- dropping ---

bool StateMachine::HasExpired(int64_t now_ms) {
  for (const RetentionClass retention : kRetentionClasses) {
    const auto newest = shards_.NewestByRetention(retention);
    if (partitions_->of(retention).Any([&](const PartitionTimes& times) {
          return !IsWanted(newest, times, now_ms);
        }))
      return true;
  }
  return false;
}

std::vector<TimePartitions::Expired> StateMachine::TakeExpired(int64_t now_ms) {
  std::vector<TimePartitions::Expired> expired;
  // No writer meanwhile: what is in a partition is in the table of shards.
  absl::MutexLock lock(&write_mu_);
  for (const RetentionClass retention : kRetentionClasses) {
    const auto newest = shards_.NewestByRetention(retention);
    const auto taken = partitions_->of(retention).TakeExpired(
        [&](const PartitionTimes& times) {
          return !IsWanted(newest, times, now_ms);
        });
    expired.insert(expired.end(), taken.begin(), taken.end());
  }
  return expired;
}

absl::Status StateMachine::DropExpired(int64_t now_ms) {
  RETURN_IF_ERROR(store_->CheckSpace());
  return Drop(TakeExpired(now_ms));
}

absl::Status StateMachine::Drop(
    std::span<const TimePartitions::Expired> partitions) {
  if (partitions.empty()) return absl::OkStatus();
  // Families first: if we stop in between, a row without a family is
  // forgotten at the next start, while data without a row would stay.
  for (const TimePartitions::Expired& partition : partitions)
    RETURN_IF_ERROR(store_->DropFamily(partition.family));
  absl::MutexLock lock(&write_mu_);
  BeginBatch();
  for (const TimePartitions::Expired& partition : partitions)
    batch_.Delete(*store_->tables(), PartitionKey(partition.id).view());
  return store_->Write(&batch_);
}

// --- moving ---

std::optional<TimePartitions::Sealed> StateMachine::FindRaised(
    RetentionClass retention, int64_t now_ms) {
  if (!KeptIn(retention)) return std::nullopt;
  const int64_t cutoff_ms = now_ms - HoursToMs(RetentionHoursOf(retention));
  absl::MutexLock lock(&write_mu_);
  return partitions_->of(retention).OldestBefore(cutoff_ms);
}

bool StateMachine::HasRaised(int64_t now_ms) {
  return std::any_of(kRetentionClasses.begin(), kRetentionClasses.end(),
                     [&](RetentionClass retention) {
                       return FindRaised(retention, now_ms).has_value();
                     });
}

absl::Status StateMachine::KeepRaised(int64_t now_ms) {
  for (const RetentionClass retention : kRetentionClasses) {
    const auto oldest = FindRaised(retention, now_ms);
    if (!oldest) continue;
    RETURN_IF_ERROR(Copy(*oldest, *KeptIn(retention), now_ms));
    // The copies are on disk before the only other one goes.
    RETURN_IF_ERROR(Flush());
    RETURN_IF_ERROR(store_->CheckSpace());
    std::vector<TimePartitions::Expired> taken;
    {
      absl::MutexLock lock(&write_mu_);
      partitions_->NoteMove();
      taken = partitions_->of(retention).Take(oldest->number);
    }
    return Drop(taken);
  }
  return absl::OkStatus();
}

absl::Status StateMachine::Copy(const TimePartitions::Sealed& partition,
                                RetentionClass target, int64_t now_ms) {
  for (uint32_t group = 1; group < options_.group_count; ++group)
    RETURN_IF_ERROR(CopyGroup(GroupId(group), partition, target, now_ms));
  return absl::OkStatus();
}

absl::Status StateMachine::CopyGroup(GroupId group,
                                     const TimePartitions::Sealed& partition,
                                     RetentionClass target, int64_t now_ms) {
  const Key prefix = GroupBlocksKey(group);
  const auto rows = store_->NewIterator(partition.family, prefix.PrefixEnd());
  Copies copies;
  const auto write = [&]() -> absl::Status {
    RETURN_IF_ERROR(WriteCopies(group, target, copies.blocks));
    copies = Copies();
    return FlushDue() ? Flush() : absl::OkStatus();
  };
  rows->Seek(prefix.view());
  while (rows->Valid()) {
    const std::optional<BlockId> first = DecodeBlockKey(rows->key());
    if (!first) return absl::DataLossError("malformed key of a block");
    const ShardKey shard = first->shard;
    const std::string end = ShardBlocksKey(group, shard).PrefixEnd();
    const ShardRecord record =
        shards_.Find(group, shard).value_or(ShardRecord());
    if (!IsWanted(record, partition.times, now_ms)) {
      rows->Seek(end);
      continue;
    }
    const Counter from = std::max(first->first, record.PlaceIn(target).until);
    for (rows->Seek(BlockKey({group, shard, from}).view());
         rows->Valid() && rows->key() < end; rows->Next()) {
      RETURN_IF_ERROR(store_->NoteRead(copies.Add(rows->key(), rows->value())));
      if (copies.bytes >= kCopyBytes) RETURN_IF_ERROR(write());
    }
  }
  RETURN_IF_ERROR(store_->NoteRead(rows->status()));
  return copies.blocks.empty() ? absl::OkStatus() : write();
}

absl::Status StateMachine::WriteCopies(GroupId group, RetentionClass target,
                                       std::span<const BlockView> blocks) {
  std::vector<const BlockView*> all;
  for (const BlockView& block : blocks) all.push_back(&block);
  absl::MutexLock lock(&write_mu_);
  BeginBatch();
  RETURN_IF_ERROR(PutBlocks(group, target, all));
  // By shard; the last of each is its newest.
  for (size_t i = 0; i < blocks.size(); ++i) {
    const BlockView& block = blocks[i];
    const ShardKey shard = block.id.shard;
    if (i + 1 < blocks.size() && blocks[i + 1].id.shard == shard) continue;
    ShardRecord record = shards_.Find(group, shard).value_or(ShardRecord());
    record.AddPlace({target, block.last() + 1, block.arrival_ms});
    PutShard(group, {shard, std::move(record)});
  }
  return WriteBatch(group);
}

}  // namespace trireme
