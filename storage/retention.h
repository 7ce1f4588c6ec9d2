// How long streams keep records, and which time partitions hold those of which
// streams (design.md D4; kinesis-contract.md §2.7). Pure functions.
#ifndef TRIREME_STORAGE_RETENTION_H_
#define TRIREME_STORAGE_RETENTION_H_

#include <cstdint>
#include <optional>

#include "storage/keys.h"

namespace trireme {

inline constexpr uint32_t kRetentionHoursMin = 24;
inline constexpr uint32_t kRetentionHoursMax = 8760;  // 365 days.

// How much longer than their retention records are kept: the stamps of
// different groups may differ by that much.
inline constexpr int64_t kExpirySlackMs = 60'000;

constexpr int64_t HoursToMs(uint32_t hours) { return hours * 3'600'000LL; }

// Where new blocks of a stream with this retention go.
RetentionClass ClassOfRetention(uint32_t hours);
// The longest retention that class is for.
uint32_t RetentionHoursOf(RetentionClass retention);
// Where blocks go that outlive their partition, since the retention was raised
// after they were written. Nothing: their partition stays.
std::optional<RetentionClass> KeptIn(RetentionClass retention);

// How much longer, and larger, partitions of the class are than those of kDay:
// a node never holds more than a few hundred (2 hours, 2 days; 16 times the
// bytes).
int64_t PartitionTimeFactor(RetentionClass retention);
uint64_t PartitionBytesFactor(RetentionClass retention);

}  // namespace trireme

#endif  // TRIREME_STORAGE_RETENTION_H_
