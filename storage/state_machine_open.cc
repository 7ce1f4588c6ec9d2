// StateMachine's start: everything in memory is found again from the store.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/catalog_tables.h"
#include "storage/check.h"
#include "storage/fixed_ints.h"
#include "storage/group_rows.h"
#include "storage/keys.h"
#include "storage/state_machine.h"
#include "storage/status_macros.h"
#include "storage/table_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr uint32_t kFormatVersion = 1;

// Calls `row` with key and value of each row of `kind`.
template <typename Row>
absl::Status ForEachRow(const Store& store, KeyKind kind, Row row) {
  const Key prefix(kind);
  const auto rows = store.NewIterator(store.tables(), prefix.PrefixEnd());
  for (rows->Seek(prefix.view()); rows->Valid(); rows->Next())
    RETURN_IF_ERROR(row(rows->key(), rows->value()));
  return rows->status();
}

}  // namespace

StateMachine::StateMachine(std::unique_ptr<Store> store,
                           const StateMachineOptions& options)
    : options_(options),
      store_(std::move(store)),
      claims_(options.group_count),
      producers_(options.group_count),
      applied_(options.group_count),
      durable_(options.group_count) {}

absl::StatusOr<std::unique_ptr<StateMachine>> StateMachine::Open(
    const std::string& directory, const StateMachineOptions& options) {
  CHECK(options.group_count >= 2, "a cluster has at least one data group");
  StoreOptions store_options;
  // RocksDB's own limit stands above ours: it acts only when whoever should
  // call Flush() does not.
  store_options.write_buffer_bytes = options.memtable_bytes_max / 4 * 3;
  store_options.cache_bytes = options.cache_bytes;
  store_options.stop_opening = options.stop_opening;
  ASSIGN_OR_RETURN(auto store, Store::Open(directory, store_options));
  std::unique_ptr<StateMachine> state(
      new StateMachine(std::move(store), options));
  const absl::Status loaded = state->Load();
  if (loaded.ok()) return state;
  return absl::Status(
      loaded.code(),
      absl::StrCat("state in ", directory, ": ", loaded.message(),
                   absl::IsDataLoss(loaded)
                       ? ". Move the directory away and start the node again: "
                         "it copies its state from its peers"
                       : ""));
}

absl::Status StateMachine::Load() {
  RETURN_IF_ERROR(CheckFormat());
  RETURN_IF_ERROR(LoadPositions());
  RETURN_IF_ERROR(LoadShards());
  RETURN_IF_ERROR(LoadStreams());
  RETURN_IF_ERROR(LoadClaims());
  RETURN_IF_ERROR(LoadProducers());
  RETURN_IF_ERROR(LoadAccount());
  RETURN_IF_ERROR(LoadGroups());
  RETURN_IF_ERROR(LoadTables());
  ASSIGN_OR_RETURN(
      partitions_,
      PartitionTable::Open(store_.get(),
                           {RetentionClass::kDay, options_.partition_ms,
                            options_.partition_bytes_max}));
  RETURN_IF_ERROR(ResumePartitions());
  shard_log_ =
      std::make_unique<ShardLog>(store_.get(), partitions_.get(), &shards_);
  return partitions_->PrepareNext();
}

absl::Status StateMachine::CheckFormat() {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   store_->Get(*store_->tables(), FormatKey().view()));
  if (row) {
    if (row->size() == sizeof(uint32_t) &&
        LoadLittle<uint32_t>(row->data()) == kFormatVersion)
      return absl::OkStatus();
    return absl::FailedPreconditionError(
        "it was written by another version of Trireme; upgrade this node");
  }
  std::string value;
  AppendLittle(kFormatVersion, &value);
  Store::Batch batch;
  batch.Put(*store_->tables(), FormatKey().view(), value);
  RETURN_IF_ERROR(store_->Write(&batch));
  // Durable at once: a store that is new at the second start was lost.
  created_ = true;
  return store_->Flush();
}

absl::Status StateMachine::LoadPositions() {
  absl::MutexLock lock(&positions_mu_);
  const auto load = [this](absl::string_view key, absl::string_view value)
                        ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    const std::optional<GroupId> group = DecodeGroupKey(key);
    v1::GroupRow row;
    if (!group ||
        !row.ParseFromArray(value.data(), static_cast<int>(value.size())))
      return absl::DataLossError("malformed row of a group");
    if (group->value() >= options_.group_count) {
      return absl::FailedPreconditionError(absl::StrCat(
          "it holds group ", group->value(), ", but this node is set to ",
          options_.group_count, " groups; their number can only be raised"));
    }
    applied_[group->value()] = {row.applied_index(), row.applied_term(),
                                row.stamp_ms(), row.installed_index()};
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachRow(*store_, KeyKind::kGroup, load));
  durable_ = applied_;
  return absl::OkStatus();
}

absl::Status StateMachine::LoadShards() {
  return ForEachRow(
      *store_, KeyKind::kShardState,
      [this](absl::string_view key, absl::string_view value) -> absl::Status {
        const auto id = DecodeShardStateKey(key);
        if (!id) return absl::DataLossError("malformed key of a shard");
        ASSIGN_OR_RETURN(const ShardRecord record, DecodeShardRecord(value));
        const ShardChange change = {id->shard, record};
        shards_.Publish(id->group, std::span(&change, 1));
        return absl::OkStatus();
      });
}

absl::Status StateMachine::LoadStreams() {
  RETURN_IF_ERROR(ForEachRow(
      *store_, KeyKind::kStream,
      [this](absl::string_view, absl::string_view value) -> absl::Status {
        ASSIGN_OR_RETURN(auto stream, DecodeStream(value));
        catalog_.Put(std::move(stream));
        return absl::OkStatus();
      }));
  ASSIGN_OR_RETURN(const std::optional<std::string> next,
                   store_->Get(*store_->tables(), NextStreamIdKey().view()));
  if (!next) return absl::OkStatus();
  if (next->size() != sizeof(uint32_t))
    return absl::DataLossError("malformed row of the next stream's number");
  absl::MutexLock lock(&write_mu_);
  next_stream_id_ = LoadLittle<uint32_t>(next->data());
  return absl::OkStatus();
}

absl::Status StateMachine::LoadClaims() {
  absl::MutexLock lock(&write_mu_);
  const auto load = [this](absl::string_view key, absl::string_view value)
                        ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    const std::optional<GroupId> group = DecodeClaimsKey(key);
    if (!group || group->value() >= options_.group_count)
      return absl::DataLossError("malformed key of a group's claims");
    ASSIGN_OR_RETURN(claims_[group->value()], DecodeClaims(value));
    return absl::OkStatus();
  };
  return ForEachRow(*store_, KeyKind::kClaims, load);
}

absl::Status StateMachine::LoadProducers() {
  absl::MutexLock lock(&write_mu_);
  const auto load = [this](absl::string_view key, absl::string_view value)
                        ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    const std::optional<ProducerRowPlace> place = DecodeProducerKey(key);
    if (!place || place->group.value() >= options_.group_count)
      return absl::DataLossError("malformed key of a producer");
    ASSIGN_OR_RETURN(ProducerRow row, DecodeProducerRow(value));
    producers_[place->group.value()].Restore(
        {place->shard, place->row, std::move(row)});
    return absl::OkStatus();
  };
  return ForEachRow(*store_, KeyKind::kProducer, load);
}

absl::Status StateMachine::LoadAccount() {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   store_->Get(*store_->tables(), AccountKey().view()));
  if (!row) return absl::OkStatus();
  ASSIGN_OR_RETURN(const AccountSettings account, DecodeAccount(*row));
  catalog_.PutAccount(account);
  return absl::OkStatus();
}

absl::Status StateMachine::LoadGroups() {
  ConsumerGroups groups;
  RETURN_IF_ERROR(ForEachRow(
      *store_, KeyKind::kConsumerGroup,
      [&groups](absl::string_view key, absl::string_view value) {
        return AddGroupRow(key, value, &groups);
      }));
  leases_.Replace(std::move(groups));
  return absl::OkStatus();
}

absl::Status StateMachine::LoadTables() {
  ItemTables tables;
  for (const KeyKind kind : {KeyKind::kItemTable, KeyKind::kItem}) {
    RETURN_IF_ERROR(ForEachRow(
        *store_, kind,
        [&tables](absl::string_view key, absl::string_view value) {
          return AddTableRow(key, value, &tables);
        }));
  }
  tables_.Replace(std::move(tables));
  return absl::OkStatus();
}

absl::Status StateMachine::ResumePartitions() {
  for (uint32_t number = 0; number < options_.group_count; ++number) {
    const GroupId group(number);
    LogIndex last_index = Applied(group).index;
    int64_t last_stamp_ms = Applied(group).stamp_ms;
    // An interrupted catch-up leaves blocks beyond the applied index.
    for (const ShardChange& shard : shards_.List(group)) {
      last_index = std::max(last_index, CounterIndex(shard.record.next));
      last_stamp_ms = std::max(last_stamp_ms, shard.record.last_arrival_ms);
    }
    RETURN_IF_ERROR(partitions_->Resume(group, last_index, last_stamp_ms));
  }
  return absl::OkStatus();
}

}  // namespace trireme
