// What a replica that is too far behind pulls from another: the bytes of
// chunks, both ways, and the source that makes them from one moment's view of
// the store (design.md D11; docs/storage-format.md, "Catch-up chunks").
#ifndef TRIREME_STORAGE_STATE_TRANSFER_H_
#define TRIREME_STORAGE_STATE_TRANSFER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/block.h"
#include "storage/catalog.h"
#include "storage/claims.h"
#include "storage/consumer_group.h"
#include "storage/fixed_ints.h"
#include "storage/group_rows.h"
#include "storage/item_tables.h"
#include "storage/producer_row.h"
#include "storage/replicated_state.h"
#include "storage/shard_log.h"
#include "storage/shard_table.h"
#include "storage/store.h"
#include "storage/time_partitions.h"

namespace trireme {

// What a replica holds of a data group: each shard's next counter.
using HeldShards = absl::flat_hash_map<ShardKey, Counter>;
std::string EncodeHeld(std::span<const ShardChange> shards);
absl::StatusOr<HeldShards> DecodeHeld(absl::string_view held);

// A data group: its claims, its shards, their producers, then their blocks from
// what the other side holds.
struct ShardSourceParts {
  const Store* store = nullptr;
  const ShardLog* log = nullptr;  // For shards with blocks in several classes.
  std::unique_ptr<Store::Snapshot> snapshot;
  std::vector<PartitionView> partitions;  // Class by class, oldest first.
  std::vector<ShardChange> shards;
  Claims claims;
};
std::unique_ptr<StateSource> MakeShardSource(GroupId group,
                                             const AppliedPosition& position,
                                             ShardSourceParts parts,
                                             const HeldShards& held);

// The meta group: all that it knows. Tables of items are read from the store.
struct CatalogSourceParts {
  const Store* store = nullptr;
  std::unique_ptr<Store::Snapshot> snapshot;
  std::vector<std::shared_ptr<const Stream>> streams;
  uint32_t next_stream_id = 1;
  AccountSettings account;
  std::vector<GroupRowChange> groups;
};
std::unique_ptr<StateSource> MakeCatalogSource(GroupId group,
                                               const AppliedPosition& position,
                                               CatalogSourceParts parts);

// The receiving side of one pull: keeps what becomes the group's state only at
// the end, hands out what can be stored at once. Lost in a crash; the next
// pull sends it again.
class GroupInstall {
 public:
  // Takes a chunk in. `blocks` get the verified blocks in it, views into
  // `chunk`. The first chunk of a source begins anew.
  absl::Status Add(GroupId group, absl::string_view chunk,
                   std::vector<BlockView>* blocks);

  // The source's last chunk has come.
  bool complete() const { return complete_; }
  const AppliedPosition& position() const { return position_; }
  std::span<const ShardChange> shards() const { return shards_; }
  // As the source said, the least for a shard of which it said nothing.
  uint32_t RetentionHoursOf(ShardKey shard) const;
  std::span<const std::shared_ptr<const Stream>> streams() const {
    return streams_;
  }
  uint32_t next_stream_id() const { return next_stream_id_; }
  const Claims& claims() const { return claims_; }
  std::span<const PlacedProducerRow> producers() const { return producers_; }
  const AccountSettings& account() const { return account_; }
  const ConsumerGroups& groups() const { return groups_; }
  const ItemTables& tables() const { return tables_; }

 private:
  absl::Status AddItem(GroupId group, bool is_first, ByteCursor* chunk,
                       std::vector<BlockView>* blocks);
  absl::Status Begin(ByteCursor* chunk);
  absl::Status AddShard(ByteCursor* chunk);
  absl::Status AddBlock(GroupId group, ByteCursor* chunk,
                        std::vector<BlockView>* blocks);
  absl::Status AddStream(ByteCursor* chunk);
  absl::Status AddClaims(ByteCursor* chunk);
  absl::Status AddProducer(ByteCursor* chunk);
  absl::Status AddAccount(ByteCursor* chunk);
  absl::Status AddConsumerGroup(ByteCursor* chunk);
  absl::Status AddItemTable(ByteCursor* chunk);

  bool begun_ = false;
  bool complete_ = false;
  AppliedPosition position_;
  std::vector<ShardChange> shards_;
  std::vector<std::shared_ptr<const Stream>> streams_;
  uint32_t next_stream_id_ = 1;
  Claims claims_;
  std::vector<PlacedProducerRow> producers_;
  AccountSettings account_;
  ConsumerGroups groups_;
  ItemTables tables_;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_STATE_TRANSFER_H_
