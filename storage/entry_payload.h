// What a replication group's entries hold (docs/storage-format.md, "Entry
// payload"): either records of many shards, with the stamps of their producers
// if any have some, or one command.
//
//   payload  = kind u8 | version u8 (1) | zero u16 | batch_count u32 |
//              stamp_ms i64 | body
//   records:   body = (stream u32 | shard u32 | record_count u32 | bytes u32 |
//                      batch)*                  one batch a shard
//   stamped:   body = bytes u32 | a serialized trireme.v1.EntryStamps |
//                     the body of records
//   command:   body = a serialized trireme.v1.Command
// Integers are little-endian. `stamp_ms` is the leader's wall clock in Unix
// milliseconds, never less than the group's previous one (design.md D6): the
// arrival time of the records.
#ifndef TRIREME_STORAGE_ENTRY_PAYLOAD_H_
#define TRIREME_STORAGE_ENTRY_PAYLOAD_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"
#include "storage/producer_stamp.h"

namespace trireme {

// Written to disk; never renumber.
enum class PayloadKind : uint8_t { kRecords = 1, kCommand = 2, kStamped = 3 };

inline constexpr size_t kPayloadHeaderBytes = 16;
inline constexpr size_t kShardBatchHeaderBytes = 16;

// One shard's records in an entry, inside somebody else's bytes. Record i of
// it has the counter MakeCounter(entry index, i).
struct ShardBatch {
  ShardKey shard;
  uint32_t record_count = 0;
  absl::string_view batch;
  std::vector<StampedRecords> stamped = {};  // By first record; none overlap.
};

// A records payload. Each piece of `pieces` is a part of a shard's batch;
// pieces of one shard must stand side by side and become one batch.
std::string EncodeRecordsPayload(int64_t stamp_ms,
                                 std::span<const ShardBatch> pieces);
std::string EncodeCommandPayload(int64_t stamp_ms, absl::string_view command);

struct DecodedPayload {
  PayloadKind kind = PayloadKind::kRecords;  // Or kCommand.
  int64_t stamp_ms = 0;
  std::vector<ShardBatch> batches;  // kRecords. Record lengths not yet checked.
  absl::string_view command;        // kCommand.
};

// Views into `payload`. DataLoss when it is malformed.
absl::StatusOr<DecodedPayload> DecodePayload(absl::string_view payload);

}  // namespace trireme

#endif  // TRIREME_STORAGE_ENTRY_PAYLOAD_H_
