// Sequence numbers as clients see them: 56 decimal digits in Kinesis's layout
// version 2 (kinesis-contract.md §2.2), made from a shard's identity and a
// record's counter (design.md D9).
#ifndef TRIREME_STORAGE_SEQUENCE_NUMBER_H_
#define TRIREME_STORAGE_SEQUENCE_NUMBER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"

namespace trireme {

inline constexpr Counter kCounterMax = 0x7fffffffffffffff;  // A shard's end.

struct SequenceNumber {
  uint64_t shard_created_s = 0;  // Unix seconds, < 16,025,175,000.
  ShardIndex shard;
  Counter counter = 0;
  uint64_t record_s = 0;  // Arrival, Unix seconds.

  // Always 56 digits for times of our age.
  std::string ToString() const;
  // Appends the same to `out`; the hot path of every read.
  void AppendTo(std::string* out) const;
  // InvalidArgument for what is not a number of layout version 2.
  static absl::StatusOr<SequenceNumber> Parse(absl::string_view text);

  friend bool operator==(const SequenceNumber&,
                         const SequenceNumber&) = default;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SEQUENCE_NUMBER_H_
