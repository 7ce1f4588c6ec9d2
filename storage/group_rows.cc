#include "storage/group_rows.h"

#include <utility>

#include "absl/status/statusor.h"
#include "storage/keys.h"
#include "storage/status_macros.h"
#include "trireme/v1/group_commands.pb.h"

namespace trireme {
namespace {

absl::Status Malformed() {
  return absl::DataLossError("malformed row of a consumer group");
}

std::string KeyOf(const ConsumerGroupId& id, ConsumerGroupPart part,
                  uint64_t number) {
  const Key key = ConsumerGroupRowKey({id.stream, id.number, part, number});
  return std::string(key.view());
}
std::string KeyOf(const ConsumerGroupId& id) {
  return KeyOf(id, ConsumerGroupPart::kGroup, 0);
}
std::string KeyOf(const ConsumerGroupId& id, WorkerNumber worker) {
  return KeyOf(id, ConsumerGroupPart::kWorker, worker);
}
std::string KeyOf(const ConsumerGroupId& id, ShardIndex shard) {
  return KeyOf(id, ConsumerGroupPart::kLease, shard.value());
}

// --- rows ---

std::string Encode(const ConsumerGroup& group) {
  v1::ConsumerGroupRow row;
  row.set_name(group.name);
  EncodeSettings(group.settings, row.mutable_settings());
  return row.SerializeAsString();
}
absl::StatusOr<ConsumerGroup> Decode(const v1::ConsumerGroupRow& row) {
  ConsumerGroup group;
  group.name = row.name();
  const auto settings = ParseSettings(row.settings());
  if (!settings.has_value()) return Malformed();
  group.settings = *settings;
  return group;
}

std::string Encode(const Worker& worker) {
  v1::WorkerRow row;
  row.set_name(worker.name);
  row.set_heartbeats(worker.heartbeats);
  row.set_draining(worker.draining);
  return row.SerializeAsString();
}
absl::StatusOr<Worker> Decode(const v1::WorkerRow& row) {
  return Worker{row.name(), row.heartbeats(), row.draining()};
}

std::string Encode(const Lease& lease) {
  v1::LeaseRow row;
  row.set_owner(lease.owner);
  row.set_counter(lease.counter);
  row.set_next_owner(lease.next_owner);
  EncodePosition(lease.checkpoint, row.mutable_checkpoint());
  if (lease.pending.has_value()) {
    EncodePosition(lease.pending->position, row.mutable_pending());
    row.set_pending_state(lease.pending->state);
  }
  row.set_owner_switches(lease.owner_switches);
  row.set_bytes_per_second(lease.bytes_per_second);
  return row.SerializeAsString();
}
absl::StatusOr<Lease> Decode(const v1::LeaseRow& row) {
  Lease lease;
  lease.owner = row.owner();
  lease.counter = row.counter();
  lease.next_owner = row.next_owner();
  const auto checkpoint = ParsePosition(row.checkpoint());
  const auto pending = ParsePosition(row.pending());
  if (!checkpoint.has_value() || !pending.has_value()) return Malformed();
  lease.checkpoint = *checkpoint;
  if (row.has_pending()) {
    lease.pending = PendingCheckpoint{*pending, row.pending_state()};
  }
  lease.owner_switches = row.owner_switches();
  lease.bytes_per_second = row.bytes_per_second();
  return lease;
}

template <typename Row>
auto DecodeBytes(absl::string_view bytes)
    -> decltype(Decode(std::declval<const Row&>())) {
  Row row;
  if (!row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Malformed();
  }
  return Decode(row);
}

// --- changes ---

template <typename Rows>
void AddDeletions(const ConsumerGroupId& id, const Rows& rows,
                  std::vector<GroupRowChange>* changes) {
  for (const auto& [number, row] : rows) {
    changes->push_back({KeyOf(id, number), std::nullopt});
  }
}

template <typename Rows>
void AddChanges(const ConsumerGroupId& id, const Rows& rows,
                std::vector<GroupRowChange>* changes) {
  for (const auto& [number, row] : rows) {
    changes->push_back(
        {KeyOf(id, number),
         row.has_value() ? std::make_optional(Encode(*row)) : std::nullopt});
  }
}

}  // namespace

v1::GroupRef RefTo(const ConsumerGroupId& id) {
  v1::GroupRef ref;
  ref.set_stream_id(id.stream.value());
  ref.set_group(id.number);
  return ref;
}

std::optional<LeasePosition> ParsePosition(const v1::LeasePosition& message) {
  if (message.kind() > static_cast<uint32_t>(LeasePositionKind::kShardEnd)) {
    return std::nullopt;
  }
  return LeasePosition{static_cast<LeasePositionKind>(message.kind()),
                       message.timestamp_ms(), message.counter(),
                       message.sub_sequence(), message.record_s()};
}

void EncodePosition(const LeasePosition& position, v1::LeasePosition* message) {
  message->set_kind(static_cast<uint32_t>(position.kind));
  message->set_timestamp_ms(position.timestamp_ms);
  message->set_counter(position.counter);
  message->set_sub_sequence(position.sub_sequence);
  message->set_record_s(position.record_s);
}

std::optional<ConsumerGroupSettings> ParseSettings(
    const v1::GroupSettings& message) {
  const std::optional<LeasePosition> from = ParsePosition(message.from());
  if (!from.has_value()) return std::nullopt;
  return ConsumerGroupSettings{message.lease_ms(), message.hand_off_ms(),
                               *from};
}

void EncodeSettings(const ConsumerGroupSettings& settings,
                    v1::GroupSettings* message) {
  message->set_lease_ms(settings.lease_ms);
  message->set_hand_off_ms(settings.hand_off_ms);
  EncodePosition(settings.from, message->mutable_from());
}

std::vector<GroupRowChange> RowChangesOf(const ConsumerGroups& before,
                                         const GroupChange& change) {
  std::vector<GroupRowChange> changes;
  const auto group = before.find(change.id);
  const bool begins_anew = change.removed || change.made.has_value();
  if (group != before.end() && begins_anew) {
    changes.push_back({KeyOf(change.id), std::nullopt});
    AddDeletions(change.id, group->second.workers, &changes);
    AddDeletions(change.id, group->second.leases, &changes);
  }
  if (change.removed) return changes;
  if (change.made.has_value()) {
    changes.push_back({KeyOf(change.id), Encode(*change.made)});
  }
  AddChanges(change.id, change.workers, &changes);
  AddChanges(change.id, change.leases, &changes);
  return changes;
}

std::vector<GroupRowChange> RowsOf(const ConsumerGroups& groups) {
  std::vector<GroupRowChange> rows;
  for (const auto& [id, group] : groups) {
    rows.push_back({KeyOf(id), Encode(group)});
    for (const auto& [number, worker] : group.workers) {
      rows.push_back({KeyOf(id, number), Encode(worker)});
    }
    for (const auto& [shard, lease] : group.leases) {
      rows.push_back({KeyOf(id, shard), Encode(lease)});
    }
  }
  return rows;
}

absl::Status AddGroupRow(absl::string_view key, absl::string_view row,
                         ConsumerGroups* groups) {
  const std::optional<ConsumerGroupRowId> id = DecodeConsumerGroupRowKey(key);
  if (!id.has_value()) return Malformed();
  const ConsumerGroupId group_id{id->stream, id->group};
  if (id->part == ConsumerGroupPart::kGroup) {
    ASSIGN_OR_RETURN(ConsumerGroup group,
                     DecodeBytes<v1::ConsumerGroupRow>(row));
    groups->insert_or_assign(group_id, std::move(group));
    return absl::OkStatus();
  }
  const auto group = groups->find(group_id);
  if (group == groups->end()) return Malformed();
  if (id->part == ConsumerGroupPart::kWorker) {
    ASSIGN_OR_RETURN(group->second.workers[id->number],
                     DecodeBytes<v1::WorkerRow>(row));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      group->second.leases[ShardIndex(static_cast<uint32_t>(id->number))],
      DecodeBytes<v1::LeaseRow>(row));
  return absl::OkStatus();
}

}  // namespace trireme
