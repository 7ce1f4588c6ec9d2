// Records in the form clients get them: the wire bytes of `repeated Record
// records = 1` (proto/trireme/v1/records.proto), made once from a batch and
// shared by everyone who reads it. Written by hand because the batch already
// holds the bytes: a message object a record would copy each of them twice.
#ifndef TRIREME_SERVER_RECORD_ENCODING_H_
#define TRIREME_SERVER_RECORD_ENCODING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"

namespace trireme {

// What a batch does not know of itself.
struct BatchOrigin {
  ShardIndex shard;
  uint64_t shard_created_s = 0;  // Unix seconds.
  Counter first = 0;             // Of the batch's first record.
  int64_t arrival_ms = 0;        // Unix milliseconds; of all its records.
};

// DataLoss when the batch is malformed.
absl::StatusOr<std::string> EncodeRecords(const BatchOrigin& origin,
                                          absl::string_view batch);

// A record of an encoded batch, for front ends whose wire is another.
struct EncodedRecord {
  absl::string_view sequence_number;
  int64_t arrival_ms = 0;
  absl::string_view partition_key;  // Empty: none.
  absl::string_view data;
};
// The record at the front of `encoded`, which goes on after it. The views are
// of `encoded`'s bytes.
EncodedRecord TakeRecord(absl::string_view* encoded);

// Part of an encoded batch, on a record's border at both ends.
struct EncodedSpan {
  std::shared_ptr<const std::string> owner;
  absl::string_view bytes;
};

// Consecutive records of one shard, ready to be sent.
struct RecordRun {
  std::vector<EncodedSpan> spans;
  uint32_t record_count = 0;
  size_t bytes = 0;
  Counter next = 0;             // The position after the last record.
  int64_t last_arrival_ms = 0;  // Of the last record, if any.
};

// What limits count of a run: about the bytes of its data and partition keys.
uint64_t CountedBytes(const RecordRun& run);

// How much of a run to take.
struct RunLimits {
  uint32_t records_max = 0;
  size_t bytes_max = 0;  // At least one record is taken whatever its size.
};

// An encoded batch and which counters it holds.
struct EncodedBatch {
  std::shared_ptr<const std::string> bytes;
  Counter first = 0;
  uint32_t record_count = 0;
  int64_t arrival_ms = 0;
};

// Appends the records of `batch` at or beyond `run->next` to `run`, in so far
// as the limits allow. False when the limits ended the run.
bool AppendToRun(const EncodedBatch& batch, const RunLimits& limits,
                 RecordRun* run);

}  // namespace trireme

#endif  // TRIREME_SERVER_RECORD_ENCODING_H_
