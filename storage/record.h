// Records as Trireme stores them: encoded once where they enter, the same
// bytes in the entry, in every node's shard log and in the tail buffer
// (docs/storage-format.md, "Record batch").
//
//   batch  = record*
//   record = key_bytes u16 | flags u16 (0) | data_bytes u32 | key | data
// Integers are little-endian. A batch does not know its shard, its sequence
// numbers or its arrival time: the entry or block around it does.
#ifndef TRIREME_STORAGE_RECORD_H_
#define TRIREME_STORAGE_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace trireme {

// One record inside somebody else's bytes.
struct RecordView {
  // 1..256 characters, at most 1,024 bytes. Empty: none was given.
  absl::string_view partition_key;
  absl::string_view data;  // 0..10 MiB.
};

inline constexpr size_t kRecordHeaderBytes = 8;

// Bytes the record takes in a batch.
inline size_t EncodedRecordBytes(const RecordView& record) {
  return kRecordHeaderBytes + record.partition_key.size() + record.data.size();
}

// Appends one record to `batch`. CHECKs that the key fits its length field.
void AppendRecord(const RecordView& record, std::string* batch);

// Reads a batch from front to back. The bytes must outlive the reader.
class RecordBatchReader {
 public:
  explicit RecordBatchReader(absl::string_view batch) : rest_(batch) {}

  // False at the end or at the first malformed record; status() tells which.
  bool Next(RecordView* record);
  // DataLoss when the batch ends in the middle of a record.
  const absl::Status& status() const { return status_; }

 private:
  absl::string_view rest_;
  absl::Status status_;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_RECORD_H_
