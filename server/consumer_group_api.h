// The API of consumer groups in C++ terms; see api.h.
#ifndef TRIREME_SERVER_CONSUMER_GROUP_API_H_
#define TRIREME_SERVER_CONSUMER_GROUP_API_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/api.h"
#include "server/resource_names.h"
#include "server/router.h"
#include "storage/consumer_group.h"
#include "storage/ids.h"

namespace trireme {

// A worker, as it was named when it joined.
struct WorkerHandle {
  ConsumerGroupId group;
  WorkerNumber worker = 0;
};

struct JoinGroupRequest {
  StreamAddress stream;
  absl::string_view group_name;
  absl::string_view worker_id;
  // Of a new group.
  int64_t lease_ms = 0;                // 0: the default.
  std::optional<int64_t> hand_off_ms;  // Nothing: the default.
  StartingPosition from;
  bool existing_only = false;  // kResourceNotFound rather than a new group.
};
struct JoinedGroup {
  WorkerHandle worker;
  ConsumerGroupSettings settings;
};

// A lease that a worker says it has.
struct LeaseRef {
  absl::string_view shard_id;
  uint64_t counter = 0;
  std::optional<uint64_t> bytes_per_second;
};

struct HeartbeatRequest {
  WorkerHandle worker;
  absl::string_view worker_id;   // As it joined; empty: not said.
  std::vector<LeaseRef> leases;  // That it knows it has.
  bool draining = false;         // It wants no more.
};

// A stream's shard with its lease, if it has one. `shard` is of the stream.
struct FoundLease {
  const Shard* shard = nullptr;
  std::optional<Lease> lease;
};
// `leases` hold positions only of those that the worker did not name.
struct WorkerLeases {
  StreamPtr stream;
  std::vector<FoundLease> leases;  // By shard.
  std::vector<bool> named;         // One each: the worker knows it has it.
};

// How far a shard is processed, as requests say it.
struct CheckpointPosition {
  bool at_end = false;
  absl::string_view sequence_number;  // If not.
  uint64_t sub_sequence = 0;
};
struct ShardCheckpoint {
  LeaseRef lease;
  CheckpointPosition position;
  bool pending = false;
  absl::string_view pending_state;
};

struct ConsumerGroupAddress {
  StreamAddress stream;
  absl::string_view name;
};

struct LeaseAssignment {
  absl::string_view shard_id;
  absl::string_view worker_id;
};

struct ConsumerGroupSummary {
  std::string name;
  size_t worker_count = 0;
  size_t lease_count = 0;  // Of shards that are not read to their ends.
  size_t free_lease_count = 0;
};

struct DescribeGroupRequest {
  ConsumerGroupAddress group;
  int32_t max_results = 0;  // Shards; 0: a full page.
  absl::string_view next_token;
};
struct DescribeGroupResponse {
  StreamPtr stream;
  ConsumerGroup group;  // Of pending checkpoints the positions alone.
  struct Row {
    FoundLease found;
    // How long the oldest record that is not checkpointed has been there.
    std::optional<int64_t> millis_behind;
  };
  std::vector<Row> rows;
  // Of all pages, by worker.
  struct Load {
    size_t lease_count = 0;
    uint64_t bytes_per_second = 0;
  };
  absl::btree_map<WorkerNumber, Load> loads;
  bool first_page = false;
  std::string next_token;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_CONSUMER_GROUP_API_H_
