// SimTables is what the product's own commands (command.proto) have made of a
// group: its catalogue, or its shards. An immutable value, decided by the same
// pure functions as in the real state machine.
#ifndef TRIREME_TESTS_SIM_SIM_TABLES_H_
#define TRIREME_TESTS_SIM_SIM_TABLES_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/catalog.h"
#include "storage/consumer_group.h"
#include "storage/ids.h"
#include "storage/item_tables.h"
#include "storage/producers.h"
#include "storage/replicated_state.h"
#include "storage/shard_table.h"

namespace trireme::sim {

struct SimTables {
  absl::btree_map<StreamId, std::shared_ptr<const Stream>> streams;
  uint32_t next_stream_id = 1;
  absl::btree_map<ShardKey, ShardRecord> shards;
  // What is known of producers: as rows, and what is made of them.
  absl::btree_map<std::pair<ShardKey, ProducerRowId>, ProducerRow> rows;
  Producers producers;
  // Consumer groups: as rows, and what is made of them.
  absl::btree_map<std::string, std::string> group_rows;
  ConsumerGroups groups;
  // Tables of items: the same.
  absl::btree_map<std::string, std::string> item_rows;
  ItemTables items;
  uint32_t added_since_check = 0;  // Batches of them; see AddProducers.

  void AddProducers(std::vector<PlacedProducerRow> added);
  void ChangeGroups(const std::vector<GroupChange>& changes);
  void ChangeItems(const std::vector<TableChange>& changes);

  // Whether records of the shard are taken.
  absl::Status Admit(ShardKey shard) const;
  // Equal tables have equal sums.
  uint32_t Sum() const;
};
using SimTablesPtr = std::shared_ptr<const SimTables>;

struct SimEntryPlace {
  GroupId group;
  LogIndex index = 0;
  int64_t stamp_ms = 0;
};

// The tables after a serialized v1::Command. `group_count`: the meta group
// included.
SimTablesPtr ApplyToTables(const SimTables& before, const SimEntryPlace& place,
                           uint32_t group_count, absl::string_view command,
                           ApplyResult* result);

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_TABLES_H_
