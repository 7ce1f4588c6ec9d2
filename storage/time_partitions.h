// TimePartitions cuts the node's blocks of one retention class into column
// families by time of arrival, so that retention drops whole families
// (design.md D4). It knows the log indexes each partition holds of each group
// and, by the second, where in the log a time begins.
//
// Owned by a PartitionTable. Writing methods run under its writer's lock;
// reading is thread-safe. Rows of partitions are written with the blocks; the
// newest one's ranges are found again at the start (Resume).
#ifndef TRIREME_STORAGE_TIME_PARTITIONS_H_
#define TRIREME_STORAGE_TIME_PARTITIONS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "storage/ids.h"
#include "storage/keys.h"
#include "storage/store.h"

namespace trireme {

struct TimePartitionsOptions {
  RetentionClass retention = RetentionClass::kDay;
  int64_t partition_ms = 15 * 60 * 1000;
  uint64_t partition_bytes_max = 4ull << 30;
};

// A partition as a reader of one group sees it.
struct PartitionView {
  uint64_t number = 0;
  Store::FamilyRef family;
  int64_t last_stamp_ms = 0;  // Of any group's newest block.
  LogIndex last_index = 0;    // Of the group's newest block.
};

// When the blocks of a partition arrived: the oldest and the newest.
struct PartitionTimes {
  int64_t first_ms = 0;
  int64_t last_ms = 0;
};

// What is about to be written.
struct Arrival {
  GroupId group;
  LogIndex first_index = 0;
  LogIndex last_index = 0;
  int64_t first_ms = 0;
  int64_t last_ms = 0;
  uint64_t bytes = 0;
};

// The lowest log index of the arrival in one second.
struct Moment {
  uint64_t second = 0;
  LogIndex index = 0;
};

class TimePartitions {
 public:
  // Reads the rows; `store` must outlive the object.
  static absl::StatusOr<std::unique_ptr<TimePartitions>> Open(
      Store* store, const TimePartitionsOptions& options);

  // After Open: the group's newest block in the store has at most this index
  // and stamp. They matter if the group has blocks in the newest partition.
  absl::Status Resume(GroupId group, LogIndex last_index,
                      int64_t last_stamp_ms);

  // --- the writer ---

  // The family to write the arrival to: that of the newest partition, or of a
  // new one when the newest is full or its time is over. Adds to `batch` what
  // must be stored with the blocks.
  absl::StatusOr<Store::FamilyRef> Place(const Arrival& arrival,
                                         std::span<const Moment> moments,
                                         Store::Batch* batch);
  // Takes the partitions that nobody wants any more out of sight. The caller
  // drops their families, then deletes their rows.
  struct Expired {
    PartitionId id;
    Store::FamilyRef family;
  };
  std::vector<Expired> TakeExpired(
      absl::FunctionRef<bool(const PartitionTimes&)> is_unwanted);
  bool Any(absl::FunctionRef<bool(const PartitionTimes&)> is_such) const;
  // The oldest partition, if all in it arrived before `cutoff_ms` and no more
  // is written to it.
  struct Sealed {
    uint64_t number = 0;
    Store::FamilyRef family;
    PartitionTimes times;
  };
  std::optional<Sealed> OldestBefore(int64_t cutoff_ms) const;
  // The partition of this number, unless it is gone already.
  std::vector<Expired> Take(uint64_t number);

  // --- anyone ---

  // Makes the next partition's family ahead of time, so that Place does not
  // wait for the manifest to be synced. Nothing while there is no partition,
  // except for kDay, which is nearly always wanted.
  absl::Status PrepareNext();
  // The first partition that may hold blocks of the group with this index or
  // a higher one. Blocks of one shard are in order along partitions.
  std::optional<PartitionView> FirstFrom(GroupId group, LogIndex index) const;
  // The next one, after partition `number`, that holds blocks of the group.
  std::optional<PartitionView> After(GroupId group, uint64_t number) const;
  size_t partition_count() const;

 private:
  struct Partition {
    Store::FamilyRef family;
    int64_t begun_ms = 0;  // Of the entry that began it.
    PartitionTimes times;
    uint64_t bytes = 0;  // Since the start of the process, about.
  };
  // The indexes of a group in a partition.
  struct Span {
    uint64_t number = 0;
    LogIndex first = 0;
    LogIndex last = 0;  // At least that of the span before.
  };

  TimePartitions(Store* store, const TimePartitionsOptions& options)
      : store_(store), options_(options) {}

  absl::Status LoadRows();
  absl::Status LoadRow(absl::string_view key, absl::string_view value);
  absl::Status SortOutFamilies();
  bool MustRoll(const Arrival& arrival) const;
  absl::Status Roll(int64_t stamp_ms, Store::Batch* batch);
  // The name, and the family once it exists, of the next partition.
  absl::StatusOr<std::pair<uint64_t, Store::FamilyRef>> TakeSpare();
  absl::Status CreateSpare() ABSL_LOCKS_EXCLUDED(mu_);
  PartitionId IdOf(uint64_t number) const {
    return {options_.retention, number};
  }
  Expired Hide(uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status NoteMoment(const Store::FamilyRef& family, GroupId group,
                          const Moment& moment, Store::Batch* batch);
  std::string EncodeRow(uint64_t number) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // True when the row must be written: the group is new in the partition, or
  // a block is older than all before.
  bool Extend(uint64_t number, const Arrival& arrival)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  PartitionView View(const Span& span) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  Store* const store_;
  const TimePartitionsOptions options_;

  // Owned by the writer.
  std::optional<uint64_t> open_;  // The partition that is written to.
  // The group's newest second with a row in the open partition.
  absl::flat_hash_map<GroupId, Moment> newest_moments_;

  mutable absl::Mutex mu_;
  // Without a row yet: partitions made ahead of time.
  std::map<uint64_t, Store::FamilyRef> spares_ ABSL_GUARDED_BY(mu_);
  bool creating_spare_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t next_number_ ABSL_GUARDED_BY(mu_) = 1;
  std::map<uint64_t, Partition> partitions_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<GroupId, std::vector<Span>> spans_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_TIME_PARTITIONS_H_
