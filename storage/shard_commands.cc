#include "storage/shard_commands.h"

#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

ShardDecision Open(const ShardTable& shards, GroupId group,
                   const v1::OpenShardsCommand& command) {
  ShardDecision decision;
  absl::flat_hash_set<uint32_t> seen;
  for (const v1::ShardToOpen& shard : command.shards()) {
    if (!seen.insert(shard.shard()).second) continue;
    const ShardKey key{StreamId(command.stream_id()),
                       ShardIndex(shard.shard())};
    // Blocks that an interrupted catch-up brought ahead stay its own.
    ShardRecord record = shards.Find(group, key).value_or(ShardRecord());
    if (record.opened || record.dropped) continue;
    record.opened = true;
    record.created_s = shard.created_s();
    record.retention_hours = command.retention_hours();
    record.retention_change = command.retention_change();
    decision.changes.push_back({key, record});
  }
  return decision;
}

ShardDecision Drop(const ShardTable& shards, GroupId group,
                   const v1::DropShardsCommand& command) {
  ShardDecision decision;
  for (const uint32_t shard : command.shards()) {
    const ShardKey key{StreamId(command.stream_id()), ShardIndex(shard)};
    ShardRecord record = shards.Find(group, key).value_or(ShardRecord());
    if (record.dropped) continue;
    record.dropped = true;
    decision.changes.push_back({key, record});
  }
  return decision;
}

ShardDecision SetRetention(const ShardTable& shards, GroupId group,
                           const v1::SetRetentionCommand& command) {
  ShardDecision decision;
  for (const uint32_t shard : command.shards()) {
    const ShardKey key{StreamId(command.stream_id()), ShardIndex(shard)};
    std::optional<ShardRecord> record = shards.Find(group, key);
    if (!record || !record->exists()) continue;
    // One of a driver that was deposed may come late.
    if (command.change() < record->retention_change) continue;
    record->retention_hours = command.retention_hours();
    record->retention_change = command.change();
    decision.changes.push_back({key, *std::move(record)});
  }
  return decision;
}

ShardDecision Seal(const ShardTable& shards, const Producers& producers,
                   GroupId group, LogIndex index,
                   const v1::SealShardsCommand& command) {
  ShardDecision decision;
  v1::SealShardsReply reply;
  for (const uint32_t shard : command.shards()) {
    const ShardKey key{StreamId(command.stream_id()), ShardIndex(shard)};
    std::optional<ShardRecord> record = shards.Find(group, key);
    if (!record || !record->exists()) {
      decision.changes.clear();
      decision.status = ShardNotOpen(key);
      return decision;
    }
    if (!record->end) {
      record->end = MakeCounter(index, 0);
      decision.changes.push_back({key, *record});
    }
    reply.add_end_counters(*record->end);
    if (producers.Knows(key)) reply.add_with_producers(key.shard.value());
  }
  decision.reply = reply.SerializeAsString();
  return decision;
}

ShardDecision ImportProducers(const ShardTable& shards,
                              const Producers& producers, GroupId group,
                              LogIndex index,
                              const v1::ImportProducersCommand& command) {
  ShardDecision decision;
  const ShardKey key{StreamId(command.stream_id()),
                     ShardIndex(command.shard())};
  const std::optional<ShardRecord> record = shards.Find(group, key);
  if (!record || !(record->opened || record->dropped)) {
    decision.status = ShardNotOpen(key);
    return decision;
  }
  // Come again: it knows more by now. Nothing is put to it before it is told,
  // and once it knows any producer it always knows one.
  if (record->dropped || producers.Knows(key)) return decision;
  auto rows = DecodeImport(command, index);
  if (rows.ok()) {
    decision.producers = *std::move(rows);
  } else {
    decision.status =
        MakeError(ErrorReason::kInvalidArgument, rows.status().message());
  }
  return decision;
}

}  // namespace

absl::Status ShardNotOpen(const ShardKey& key) {
  return MakeError(
      ErrorReason::kResourceNotFound,
      absl::StrCat("shard ", key.shard.value(), " of stream ",
                   key.stream.value(), " is not open in this group"));
}

bool IsShardCommand(const v1::Command& command) {
  switch (command.command_case()) {
    case v1::Command::kOpenShards:
    case v1::Command::kDropShards:
    case v1::Command::kSealShards:
    case v1::Command::kSetRetention:
    case v1::Command::kClaimShards:
    case v1::Command::kImportProducers:
      return true;
    default:
      return false;
  }
}

ShardDecision DecideShardCommand(const ShardTable& shards,
                                 const Producers& producers, GroupId group,
                                 LogIndex index, const v1::Command& command) {
  switch (command.command_case()) {
    case v1::Command::kOpenShards:
      return Open(shards, group, command.open_shards());
    case v1::Command::kDropShards:
      return Drop(shards, group, command.drop_shards());
    case v1::Command::kSealShards:
      return Seal(shards, producers, group, index, command.seal_shards());
    case v1::Command::kImportProducers:
      return ImportProducers(shards, producers, group, index,
                             command.import_producers());
    case v1::Command::kSetRetention:
      return SetRetention(shards, group, command.set_retention());
    default: {
      ShardDecision decision;
      decision.status = MakeError(ErrorReason::kInvalidArgument,
                                  "not a command to a group of shards");
      return decision;
    }
  }
}

}  // namespace trireme
