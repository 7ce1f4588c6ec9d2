#include "storage/record.h"

#include <limits>

#include "storage/check.h"
#include "storage/fixed_ints.h"

namespace trireme {

void AppendRecord(const RecordView& record, std::string* batch) {
  CHECK(record.partition_key.size() <= std::numeric_limits<uint16_t>::max(),
        "partition key too long");
  CHECK(record.data.size() <= std::numeric_limits<uint32_t>::max(),
        "record too long");
  char header[kRecordHeaderBytes];
  StoreLittle(static_cast<uint16_t>(record.partition_key.size()), header);
  StoreLittle(uint16_t{0}, header + 2);
  StoreLittle(static_cast<uint32_t>(record.data.size()), header + 4);
  batch->append(header, sizeof(header));
  batch->append(record.partition_key.data(), record.partition_key.size());
  batch->append(record.data.data(), record.data.size());
}

bool RecordBatchReader::Next(RecordView* record) {
  if (rest_.empty()) return false;
  ByteCursor cursor(rest_);
  uint16_t key_bytes = 0;
  uint16_t flags = 0;
  uint32_t data_bytes = 0;
  // Flags are for later versions; what we do not know we must not serve.
  const bool whole = cursor.TakeLittle(&key_bytes) &&
                     cursor.TakeLittle(&flags) && flags == 0 &&
                     cursor.TakeLittle(&data_bytes) &&
                     cursor.TakeBytes(key_bytes, &record->partition_key) &&
                     cursor.TakeBytes(data_bytes, &record->data);
  if (!whole) {
    status_ = absl::DataLossError("malformed record in a batch");
    rest_ = {};
    return false;
  }
  rest_ = cursor.rest();
  return true;
}

}  // namespace trireme
