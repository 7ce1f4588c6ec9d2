#include "storage/partition_table.h"

#include "spdlog/spdlog.h"
#include "storage/retention.h"
#include "storage/status_macros.h"

namespace trireme {

absl::StatusOr<std::unique_ptr<PartitionTable>> PartitionTable::Open(
    Store* store, const TimePartitionsOptions& day) {
  std::unique_ptr<PartitionTable> table(new PartitionTable());
  for (const RetentionClass retention : kRetentionClasses) {
    const TimePartitionsOptions options = {
        retention, day.partition_ms * PartitionTimeFactor(retention),
        day.partition_bytes_max * PartitionBytesFactor(retention)};
    ASSIGN_OR_RETURN(table->classes_[PlaceOf(retention)],
                     TimePartitions::Open(store, options));
  }
  for (const Store::FamilyRef& family : store->families()) {
    if (ParsePartitionName(family->name())) continue;
    spdlog::error("column family {} is none of ours; it is left alone",
                  family->name());
  }
  return table;
}

absl::Status PartitionTable::Resume(GroupId group, LogIndex last_index,
                                    int64_t last_stamp_ms) {
  for (const auto& partitions : classes_)
    RETURN_IF_ERROR(partitions->Resume(group, last_index, last_stamp_ms));
  return absl::OkStatus();
}

absl::Status PartitionTable::PrepareNext() {
  for (const auto& partitions : classes_)
    RETURN_IF_ERROR(partitions->PrepareNext());
  return absl::OkStatus();
}

size_t PartitionTable::partition_count() const {
  size_t count = 0;
  for (const auto& partitions : classes_)
    count += partitions->partition_count();
  return count;
}

}  // namespace trireme
