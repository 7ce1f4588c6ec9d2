#include "tests/sim/sim_tables.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/catalog_commands.h"
#include "storage/catalog_decision.h"
#include "storage/catalog_tables.h"
#include "storage/check.h"
#include "storage/crc32c.h"
#include "storage/errors.h"
#include "storage/group_commands.h"
#include "storage/group_rows.h"
#include "storage/shard_commands.h"
#include "storage/table_commands.h"
#include "storage/table_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme::sim {
namespace {

void ApplyToCatalog(const SimEntryPlace& place, uint32_t group_count,
                    const v1::Command& command, SimTables* tables,
                    ApplyResult* result) {
  Catalog catalog;
  for (const auto& [id, stream] : tables->streams) catalog.Put(stream);
  CatalogDecision decision = DecideCatalogCommand(
      {catalog, tables->next_stream_id, group_count}, command, place.stamp_ms);
  result->status = std::move(decision.status);
  result->reply = std::move(decision.reply);
  if (decision.next_stream_id)
    tables->next_stream_id = *decision.next_stream_id;
  if (decision.put != nullptr) {
    const StreamId id = decision.put->id;
    // By the bytes it is stored as, so that what they cannot hold is missed.
    const auto decoded = DecodeStream(EncodeStream(*decision.put));
    CHECK(decoded.ok(), decoded.status().ToString());
    tables->streams[id] = *decoded;
    if (command.has_forget_shards()) {
      tables->ChangeGroups(
          ForgetLeases(tables->groups, **decoded, place.index));
    }
  }
  if (decision.remove) {
    tables->streams.erase(*decision.remove);
    tables->ChangeGroups(RemoveGroupsOf(tables->groups, *decision.remove));
  }
}

void ApplyToGroups(const SimEntryPlace& place, const v1::GroupCommand& command,
                   SimTables* tables, ApplyResult* result) {
  Catalog catalog;
  for (const auto& [id, stream] : tables->streams) catalog.Put(stream);
  GroupsDecision decision =
      DecideGroups({tables->groups, catalog, place.index}, command);
  result->status = std::move(decision.status);
  result->reply = std::move(decision.reply);
  tables->ChangeGroups(decision.changes);
}

void ApplyToItems(const SimEntryPlace& place, const v1::TableCommand& command,
                  SimTables* tables, ApplyResult* result) {
  TablesDecision decision =
      DecideTables({tables->items, place.index, place.stamp_ms}, command);
  result->status = std::move(decision.status);
  result->reply = std::move(decision.reply);
  tables->ChangeItems(decision.changes);
}

void ApplyToShards(const SimEntryPlace& place, const v1::Command& command,
                   SimTables* tables, ApplyResult* result) {
  ShardTable shards;
  std::vector<ShardChange> all;
  for (const auto& [shard, record] : tables->shards)
    all.push_back({shard, record});
  shards.Publish(place.group, all);
  ShardDecision decision = DecideShardCommand(
      shards, tables->producers, place.group, place.index, command);
  result->status = std::move(decision.status);
  result->reply = std::move(decision.reply);
  for (ShardChange& change : decision.changes) {
    if (change.record.dropped) tables->producers.Drop(change.shard);
    tables->shards[change.shard] = std::move(change.record);
  }
  tables->AddProducers(std::move(decision.producers));
}

}  // namespace

void SimTables::AddProducers(std::vector<PlacedProducerRow> added) {
  for (PlacedProducerRow& row : added) {
    // By the bytes it is stored as, so that what they cannot hold is missed.
    const auto decoded = DecodeProducerRow(EncodeProducerRow(row.row));
    CHECK(decoded.ok(), decoded.status().ToString());
    rows[{row.shard, row.id}] = *decoded;
    producers.Add({row.shard, row.id, *decoded});
  }
  for (const auto& [shard, id] : producers.TakeDead()) rows.erase({shard, id});
  // A start must find the same. Of every entry would take most of the time.
  constexpr uint32_t kCheckEvery = 16;
  if (++added_since_check % kCheckEvery != 0) return;
  Producers restored;
  for (const auto& [place, row] : rows)
    restored.Restore({place.first, place.second, row});
  CHECK(restored == producers, "rows of producers are not all there is");
}

void SimTables::ChangeGroups(const std::vector<GroupChange>& changes) {
  for (const GroupChange& change : changes) {
    for (const GroupRowChange& row : RowChangesOf(groups, change)) {
      group_rows.erase(row.key);
      if (row.row.has_value()) group_rows[row.key] = *row.row;
    }
    ApplyChange(change, &groups);
  }
  // A start must find the same.
  ConsumerGroups restored;
  for (const auto& [key, row] : group_rows) {
    CHECK(AddGroupRow(key, row, &restored).ok());
  }
  CHECK(restored == groups, "rows of consumer groups are not all there is");
}

void SimTables::ChangeItems(const std::vector<TableChange>& changes) {
  for (const TableChange& change : changes) {
    ForRowsOf(
        items, change,
        [this](absl::string_view key, const std::optional<std::string>& row) {
          item_rows.erase(std::string(key));
          if (row.has_value()) item_rows[std::string(key)] = *row;
        });
    items.Apply(change);
  }
  // A start must find the same.
  ItemTables restored;
  for (const auto& [key, row] : item_rows) {
    CHECK(AddTableRow(key, row, &restored).ok());
  }
  CHECK(restored == items, "rows of items are not all there is");
}

absl::Status SimTables::Admit(ShardKey shard) const {
  const auto found = shards.find(shard);
  if (found == shards.end() || !found->second.exists())
    return MakeError(ErrorReason::kResourceNotFound, "no such shard here");
  if (found->second.end.has_value())
    return MakeError(ErrorReason::kShardSealed, "sealed");
  return absl::OkStatus();
}

uint32_t SimTables::Sum() const {
  std::string bytes = absl::StrCat(next_stream_id);
  for (const auto& [id, stream] : streams) bytes += EncodeStream(*stream);
  for (const auto& [shard, record] : shards) {
    absl::StrAppend(&bytes, shard.stream.value(), "/", shard.shard.value(),
                    EncodeShardRecord(record));
  }
  for (const auto& [place, row] : rows) bytes += EncodeProducerRow(row);
  for (const auto& [key, row] : group_rows) bytes += key + row;
  for (const auto& [key, row] : item_rows) bytes += key + row;
  return Crc32c(bytes);
}

SimTablesPtr ApplyToTables(const SimTables& before, const SimEntryPlace& place,
                           uint32_t group_count, absl::string_view bytes,
                           ApplyResult* result) {
  v1::Command command;
  CHECK(command.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  auto tables = std::make_shared<SimTables>(before);
  if (place.group == kMetaGroup && command.has_consumer_groups()) {
    ApplyToGroups(place, command.consumer_groups(), tables.get(), result);
  } else if (place.group == kMetaGroup && command.has_tables()) {
    ApplyToItems(place, command.tables(), tables.get(), result);
  } else if (place.group == kMetaGroup) {
    CHECK(IsCatalogCommand(command), command.ShortDebugString());
    ApplyToCatalog(place, group_count, command, tables.get(), result);
  } else {
    CHECK(IsShardCommand(command), command.ShortDebugString());
    ApplyToShards(place, command, tables.get(), result);
  }
  return tables;
}

}  // namespace trireme::sim
