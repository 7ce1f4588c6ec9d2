#include "storage/state_machine.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/catalog_commands.h"
#include "storage/catalog_tables.h"
#include "storage/check.h"
#include "storage/clock.h"
#include "storage/entry_payload.h"
#include "storage/errors.h"
#include "storage/fixed_ints.h"
#include "storage/group_commands.h"
#include "storage/retention.h"
#include "storage/shard_commands.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

StateMachine::~StateMachine() = default;

absl::StatusOr<ApplyResult> StateMachine::Apply(const CommittedEntry& entry) {
  CHECK(entry.group.value() < options_.group_count, "no such group here");
  absl::MutexLock lock(&write_mu_);
  AppliedPosition position = Applied(entry.group);
  if (entry.index <= position.index) return ApplyResult();
  CHECK(entry.index == position.index + 1,
        absl::StrCat("group ", entry.group.value(), " applies entry ",
                     entry.index, " after ", position.index));
  RETURN_IF_ERROR(CheckMemory());
  position.index = entry.index;
  position.term = entry.term;
  BeginBatch();
  ApplyResult result;
  if (entry.has_payload) {
    ASSIGN_OR_RETURN(result, ApplyPayload(entry, &position));
  }
  PutPosition(entry.group, position);
  RETURN_IF_ERROR(WriteBatch(entry.group));
  PublishPosition(entry.group, position);
  return result;
}

absl::StatusOr<ApplyResult> StateMachine::ApplyPayload(
    const CommittedEntry& entry, AppliedPosition* position) {
  if (entry.payload == nullptr)
    return absl::InvalidArgumentError("a committed entry without its payload");
  ASSIGN_OR_RETURN(const DecodedPayload payload, DecodePayload(*entry.payload));
  // The proposers' stamps never go back; that shards are in order of time must
  // not hang on it.
  position->stamp_ms = std::max(position->stamp_ms, payload.stamp_ms);
  if (payload.kind == PayloadKind::kCommand)
    return ApplyCommand(entry, payload.command, position->stamp_ms);
  return ApplyRecords(entry, payload, position->stamp_ms);
}

// --- records ---

absl::StatusOr<ShardRecord> StateMachine::Admit(GroupId group,
                                                const ShardKey& shard,
                                                LogIndex index) const {
  std::optional<ShardRecord> record = shards_.Find(group, shard);
  if (!record || !record->exists()) return ShardNotOpen(shard);
  if (record->end && MakeCounter(index, 0) >= *record->end) {
    return MakeError(ErrorReason::kShardSealed,
                     absl::StrCat("shard ", shard.shard.value(), " of stream ",
                                  shard.stream.value(), " is sealed"));
  }
  return *std::move(record);
}

absl::StatusOr<ApplyResult> StateMachine::ApplyRecords(
    const CommittedEntry& entry, const DecodedPayload& payload,
    int64_t stamp_ms) {
  ApplyResult result;
  result.stamp_ms = stamp_ms;
  result.batches.reserve(payload.batches.size());
  std::array<std::vector<const ShardBatch*>, kRetentionClasses.size()> admitted;
  for (const ShardBatch& batch : payload.batches) {
    absl::StatusOr<ShardRecord> record =
        Admit(entry.group, batch.shard, entry.index);
    if (!record.ok()) {
      result.batches.push_back({record.status(), {batch.shard}});
      continue;
    }
    result.batches.push_back(Decide(entry, batch, *record, stamp_ms));
    const ShardBatch& written = result.batches.back().written;
    const Counter first = MakeCounter(entry.index, 0);
    // An interrupted catch-up may have brought the block already.
    if (record->next > first || written.record_count == 0) continue;
    const auto retention = ClassOfRetention(record->retention_hours);
    record->GoOnIn(retention);
    record->next = first + written.record_count;
    record->last_arrival_ms = stamp_ms;
    PutShard(entry.group, {batch.shard, *std::move(record)});
    admitted[PlaceOf(retention)].push_back(&written);
  }
  for (const RetentionClass retention : kRetentionClasses) {
    RETURN_IF_ERROR(
        PutBatches(entry, retention, admitted[PlaceOf(retention)], stamp_ms));
  }
  return result;
}

AppliedBatch StateMachine::Decide(const CommittedEntry& entry,
                                  const ShardBatch& batch,
                                  const ShardRecord& shard, int64_t stamp_ms) {
  if (batch.stamped.empty()) return {absl::OkStatus(), batch};
  Producers::Decision decision = producers_[entry.group.value()].Decide(
      batch, {entry.index, stamp_ms, shard.created_s});
  PutProducers(entry.group, std::move(decision.rows));
  return std::move(decision.batch);
}

absl::Status StateMachine::PutBatches(
    const CommittedEntry& entry, RetentionClass retention,
    std::span<const ShardBatch* const> batches, int64_t stamp_ms) {
  if (batches.empty()) return absl::OkStatus();
  uint64_t bytes = 0;
  for (const ShardBatch* batch : batches) bytes += batch->batch.size();
  const Moment moment = {UnixSecondOf(stamp_ms), entry.index};
  ASSIGN_OR_RETURN(
      const Store::FamilyRef family,
      partitions_->of(retention).Place(
          {entry.group, entry.index, entry.index, stamp_ms, stamp_ms, bytes},
          std::span(&moment, 1), &batch_));
  for (const ShardBatch* batch : batches) {
    const Key key =
        BlockKey({entry.group, batch->shard, MakeCounter(entry.index, 0)});
    const auto header = MakeBlockHeader(key.view(), batch->record_count,
                                        stamp_ms, batch->batch);
    const std::array<absl::string_view, 2> parts = {
        absl::string_view(header.data(), header.size()), batch->batch};
    batch_.PutParts(*family, key.view(), parts);
  }
  return absl::OkStatus();
}

// --- commands ---

absl::StatusOr<ApplyResult> StateMachine::ApplyCommand(
    const CommittedEntry& entry, absl::string_view bytes, int64_t stamp_ms) {
  v1::Command command;
  if (!command.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::DataLossError("an entry holds a malformed command");
  const bool is_meta = entry.group == kMetaGroup;
  if (IsCatalogCommand(command) && is_meta)
    return ApplyToCatalog(entry.index, command, stamp_ms);
  if (command.has_consumer_groups() && is_meta)
    return ApplyToGroups(entry.index, command.consumer_groups());
  if (command.has_tables() && is_meta)
    return ApplyToTables(entry.index, command.tables(), stamp_ms);
  if (command.has_claim_shards() && !is_meta)
    return ApplyClaims(entry.group, command.claim_shards(), stamp_ms);
  if (IsShardCommand(command) && !is_meta) return ApplyToShards(entry, command);
  ApplyResult result;
  if (IsCatalogCommand(command) || IsShardCommand(command) ||
      command.has_consumer_groups() || command.has_tables()) {
    result.status = MakeError(ErrorReason::kInvalidArgument,
                              "a command to the wrong kind of group");
    return result;
  }
  // Skipping it would make this replica differ from its peers for good.
  return absl::UnimplementedError(
      absl::StrCat("entry ", entry.index, " of group ", entry.group.value(),
                   " holds a command that this version does not know; "
                   "upgrade this node"));
}

ApplyResult StateMachine::ApplyToCatalog(LogIndex index,
                                         const v1::Command& command,
                                         int64_t stamp_ms) {
  CatalogDecision decision = DecideCatalogCommand(
      {catalog_, next_stream_id_, options_.group_count}, command, stamp_ms);
  ApplyResult result;
  result.status = std::move(decision.status);
  result.reply = std::move(decision.reply);
  if (decision.next_stream_id) PutNextStreamId(*decision.next_stream_id);
  if (decision.put != nullptr) {
    if (command.has_forget_shards()) {
      PutGroups(ForgetLeases(leases_.groups(), *decision.put, index));
    }
    PutStream(std::move(decision.put));
  }
  if (decision.remove) {
    RemoveStream(*decision.remove);
    PutGroups(RemoveGroupsOf(leases_.groups(), *decision.remove));
  }
  if (decision.account) PutAccount(*decision.account);
  return result;
}

ApplyResult StateMachine::ApplyToShards(const CommittedEntry& entry,
                                        const v1::Command& command) {
  ShardDecision decision =
      DecideShardCommand(shards_, producers_[entry.group.value()], entry.group,
                         entry.index, command);
  for (const ShardChange& change : decision.changes)
    PutShard(entry.group, change);
  PutProducers(entry.group, std::move(decision.producers));
  ApplyResult result;
  result.status = std::move(decision.status);
  result.reply = std::move(decision.reply);
  return result;
}

ApplyResult StateMachine::ApplyClaims(GroupId group,
                                      const v1::ClaimShardsCommand& command,
                                      int64_t stamp_ms) {
  ClaimsDecision decision =
      DecideClaims(claims_[group.value()], command, stamp_ms);
  PutClaims(group, std::move(decision.claims));
  ApplyResult result;
  result.reply = std::move(decision.reply);
  return result;
}

// --- one batch ---

void StateMachine::BeginBatch() {
  batch_.Clear();
  shard_changes_.clear();
  put_streams_.clear();
  removed_streams_.clear();
  put_claims_.reset();
  put_producers_.clear();
  replaces_producers_ = false;
  put_account_.reset();
  group_changes_.clear();
  installed_groups_.reset();
  table_changes_.clear();
}

void StateMachine::PutShard(GroupId group, const ShardChange& change) {
  batch_.Put(*store_->tables(), ShardStateKey({group, change.shard}).view(),
             EncodeShardRecord(change.record));
  shard_changes_.push_back(change);
}

void StateMachine::PutStream(std::shared_ptr<const Stream> stream) {
  batch_.Put(*store_->tables(), StreamKey(stream->id).view(),
             EncodeStream(*stream));
  put_streams_.push_back(std::move(stream));
}

void StateMachine::RemoveStream(StreamId id) {
  batch_.Delete(*store_->tables(), StreamKey(id).view());
  removed_streams_.push_back(id);
}

void StateMachine::PutClaims(GroupId group, Claims claims) {
  batch_.Put(*store_->tables(), ClaimsKey(group).view(), EncodeClaims(claims));
  put_claims_ = std::move(claims);
}

void StateMachine::PutNextStreamId(uint32_t id) {
  next_stream_id_ = id;
  std::string value;
  AppendLittle(id, &value);
  batch_.Put(*store_->tables(), NextStreamIdKey().view(), value);
}

void StateMachine::PutAccount(const AccountSettings& account) {
  batch_.Put(*store_->tables(), AccountKey().view(), EncodeAccount(account));
  put_account_ = account;
}

void StateMachine::PutPosition(GroupId group, const AppliedPosition& position) {
  v1::GroupRow row;
  row.set_applied_index(position.index);
  row.set_applied_term(position.term);
  row.set_stamp_ms(position.stamp_ms);
  row.set_installed_index(position.installed);
  batch_.Put(*store_->tables(), GroupKey(group).view(),
             row.SerializeAsString());
}

absl::Status StateMachine::WriteBatch(GroupId group) {
  // Nothing fails from here on but what stops the node.
  ApplyProducers(group);
  RETURN_IF_ERROR(store_->Write(&batch_));
  unflushed_bytes_.fetch_add(batch_.bytes(), std::memory_order_relaxed);
  shards_.Publish(group, shard_changes_);
  for (const StreamId id : removed_streams_) catalog_.Remove(id);
  for (auto& stream : put_streams_) catalog_.Put(std::move(stream));
  if (put_claims_) claims_[group.value()] = *std::exchange(put_claims_, {});
  if (put_account_) catalog_.PutAccount(*put_account_);
  PublishGroups();
  tables_.Publish(table_changes_);
  return absl::OkStatus();
}

void StateMachine::PublishPosition(GroupId group,
                                   const AppliedPosition& position) {
  absl::MutexLock lock(&positions_mu_);
  applied_[group.value()] = position;
}

// --- positions, flush ---

AppliedPosition StateMachine::Applied(GroupId group) const {
  absl::MutexLock lock(&positions_mu_);
  CHECK(group.value() < applied_.size(), "no such group here");
  return applied_[group.value()];
}

AppliedPosition StateMachine::Durable(GroupId group) const {
  absl::MutexLock lock(&positions_mu_);
  CHECK(group.value() < durable_.size(), "no such group here");
  return durable_[group.value()];
}

absl::Status StateMachine::Flush() {
  absl::MutexLock flush_lock(&flush_mu_);
  std::vector<AppliedPosition> positions;
  {
    absl::MutexLock lock(&positions_mu_);
    positions = applied_;  // Written before this moment, so flushed below.
  }
  const uint64_t bytes = unflushed_bytes_.exchange(0);
  if (absl::Status flushed = store_->Flush(); !flushed.ok()) {
    unflushed_bytes_.fetch_add(bytes);
    return flushed;
  }
  {
    absl::MutexLock lock(&positions_mu_);
    for (size_t group = 0; group < positions.size(); ++group) {
      if (positions[group].index > durable_[group].index)
        durable_[group] = positions[group];
    }
  }
  return partitions_->PrepareNext();
}

bool StateMachine::FlushDue() const {
  return unflushed_bytes_.load(std::memory_order_relaxed) >=
         options_.memtable_bytes_max / 2;
}

absl::Status StateMachine::CheckMemory() const {
  // Well below what would make RocksDB hold up its writers.
  if (!FlushDue() || !waits_for_space()) return absl::OkStatus();
  return MakeError(
      ErrorReason::kDiskFull,
      absl::StrCat(unflushed_bytes_.load(),
                   " applied bytes wait in memory behind a flush that waits "
                   "for space; the limit is ",
                   options_.memtable_bytes_max / 2));
}

const Catalog& StateMachine::catalog() const { return catalog_; }
const ShardLog& StateMachine::shard_log() const { return *shard_log_; }

ShardState StateMachine::GetShardState(GroupId group, ShardKey shard) const {
  return shards_.State(group, shard);
}

uint64_t StateMachine::bytes_on_disk() const { return store_->bytes_on_disk(); }

}  // namespace trireme
