// StateMachine's side of exactly-once puts: the rows of producers, in the store
// and in memory (docs/decisions/0009).
#include <utility>

#include "storage/state_machine.h"
#include "storage/status_macros.h"

namespace trireme {

void StateMachine::PutProducers(GroupId group,
                                std::vector<PlacedProducerRow> rows) {
  for (PlacedProducerRow& row : rows) {
    batch_.Put(*store_->tables(),
               ProducerKey({group, row.shard, row.id}).view(),
               EncodeProducerRow(row.row));
    put_producers_.push_back(std::move(row));
  }
}

absl::Status StateMachine::DeleteProducers(GroupId group) {
  const Key prefix = GroupProducersKey(group);
  const auto rows = store_->NewIterator(store_->tables(), prefix.PrefixEnd());
  for (rows->Seek(prefix.view()); rows->Valid(); rows->Next())
    batch_.Delete(*store_->tables(), rows->key());
  replaces_producers_ = true;
  return rows->status();
}

void StateMachine::ApplyProducers(GroupId group) {
  Producers& producers = producers_[group.value()];
  if (replaces_producers_) producers = Producers();
  for (PlacedProducerRow& row : put_producers_) {
    if (replaces_producers_) {
      producers.Restore(std::move(row));
    } else {
      producers.Add(std::move(row));
    }
  }
  for (const ShardChange& change : shard_changes_) {
    if (change.record.dropped) producers.Drop(change.shard);
  }
  for (const auto& [shard, id] : producers.TakeDead())
    batch_.Delete(*store_->tables(), ProducerKey({group, shard, id}).view());
}

absl::StatusOr<std::vector<ProducerRow>> StateMachine::ProducersOf(
    GroupId group, ShardKey shard) const {
  std::vector<ProducerRow> found;
  const Key prefix = ShardProducersKey(group, shard);
  const auto rows = store_->NewIterator(store_->tables(), prefix.PrefixEnd());
  for (rows->Seek(prefix.view()); rows->Valid(); rows->Next()) {
    ASSIGN_OR_RETURN(found.emplace_back(), DecodeProducerRow(rows->value()));
  }
  RETURN_IF_ERROR(rows->status());
  return found;
}

}  // namespace trireme
