// What one entry brought of one producer to one shard: the rows that a shard's
// knowledge of its producers is stored, handed on and caught up in.
#ifndef TRIREME_STORAGE_PRODUCER_ROW_H_
#define TRIREME_STORAGE_PRODUCER_ROW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"
#include "storage/keys.h"

namespace trireme {

namespace v1 {
class ImportProducersCommand;
}

// A record that was written: its producer's number for it, and its position in
// the entry's batch.
struct NumberedRecord {
  uint64_t number = 0;
  uint32_t position = 0;

  friend bool operator==(const NumberedRecord&,
                         const NumberedRecord&) = default;
};

struct ProducerRow {
  std::string producer;
  uint64_t epoch = 0;          // The newest, after the entry.
  uint64_t oldest_number = 0;  // The highest, after the entry.
  int64_t stamp_ms = 0;        // Of the entry.
  // Where the records are: in the shard itself, or in one that came before it.
  ShardIndex shard;
  uint64_t shard_created_s = 0;
  LogIndex index = 0;  // Of the entry, in the group of that shard.
  std::vector<NumberedRecord> records = {};

  friend bool operator==(const ProducerRow&, const ProducerRow&) = default;
};

// A row and where it stands in a group.
struct PlacedProducerRow {
  ShardKey shard;
  ProducerRowId id;
  ProducerRow row;
};

std::string EncodeProducerRow(const ProducerRow& row);
// DataLoss for what is not one.
absl::StatusOr<ProducerRow> DecodeProducerRow(absl::string_view bytes);

// All rows of a shard's parents as one command tells them to the shard, each
// producer with its newest epoch and its highest oldest number in any of them.
void EncodeImport(std::vector<ProducerRow> rows,
                  v1::ImportProducersCommand* command);
// The rows that the command brings, from {index, 0} on. DataLoss for what is
// no such command.
absl::StatusOr<std::vector<PlacedProducerRow>> DecodeImport(
    const v1::ImportProducersCommand& command, LogIndex index);

}  // namespace trireme

#endif  // TRIREME_STORAGE_PRODUCER_ROW_H_
