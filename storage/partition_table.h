// PartitionTable is all of a node's time partitions: those of each retention
// class beside each other.
//
// Owned by the StateMachine; see TimePartitions for who may call what.
#ifndef TRIREME_STORAGE_PARTITION_TABLE_H_
#define TRIREME_STORAGE_PARTITION_TABLE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/ids.h"
#include "storage/keys.h"
#include "storage/store.h"
#include "storage/time_partitions.h"

namespace trireme {

class PartitionTable {
 public:
  // `day`: the options of kDay; the others are multiples (retention.h).
  static absl::StatusOr<std::unique_ptr<PartitionTable>> Open(
      Store* store, const TimePartitionsOptions& day);

  TimePartitions& of(RetentionClass retention) {
    return *classes_[PlaceOf(retention)];
  }
  const TimePartitions& of(RetentionClass retention) const {
    return *classes_[PlaceOf(retention)];
  }

  // As TimePartitions, for all of them.
  absl::Status Resume(GroupId group, LogIndex last_index,
                      int64_t last_stamp_ms);
  absl::Status PrepareNext();
  size_t partition_count() const;

  // A block may be moved to another class: copied there, then gone here.
  // Whoever reads several partitions, and finds that this number has changed
  // when done, may have missed it between the two, and reads again.
  uint64_t moves() const { return moves_.load(); }
  // Before the first block of a move is gone.
  void NoteMove() { moves_.fetch_add(1); }

 private:
  PartitionTable() = default;

  std::array<std::unique_ptr<TimePartitions>, kRetentionClasses.size()>
      classes_;  // By PlaceOf; set by Open.
  std::atomic<uint64_t> moves_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_PARTITION_TABLE_H_
