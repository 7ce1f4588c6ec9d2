#include "storage/producer_row.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "storage/producer_stamp.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

void Encode(const ProducerRow& row, v1::ProducerRow* message) {
  message->set_stamp_ms(row.stamp_ms);
  message->set_shard(row.shard.value());
  message->set_shard_created_s(row.shard_created_s);
  message->set_index(row.index);
  const int count = static_cast<int>(row.records.size());
  message->mutable_numbers()->Reserve(count);
  message->mutable_positions()->Reserve(count);
  for (const NumberedRecord& record : row.records) {
    message->add_numbers(record.number);
    message->add_positions(record.position);
  }
}

// `known` says who the row is of: the message itself, or what is around it.
template <typename Known>
absl::StatusOr<ProducerRow> Decode(const Known& known,
                                   const v1::ProducerRow& message) {
  if (message.numbers_size() != message.positions_size() ||
      known.producer().empty() || known.producer().size() > kProducerIdBytesMax)
    return absl::DataLossError("malformed row of a producer");
  ProducerRow row;
  row.producer = known.producer();
  row.epoch = known.epoch();
  row.oldest_number = known.oldest_number();
  row.stamp_ms = message.stamp_ms();
  row.shard = ShardIndex(message.shard());
  row.shard_created_s = message.shard_created_s();
  row.index = message.index();
  row.records.reserve(static_cast<size_t>(message.numbers_size()));
  for (int i = 0; i < message.numbers_size(); ++i) {
    if (message.positions(i) >= kEntryPositionsMax)
      return absl::DataLossError("malformed position in a row of a producer");
    row.records.push_back({message.numbers(i), message.positions(i)});
  }
  return row;
}

}  // namespace

std::string EncodeProducerRow(const ProducerRow& row) {
  v1::ProducerRow message;
  message.set_producer(row.producer);
  message.set_epoch(row.epoch);
  message.set_oldest_number(row.oldest_number);
  Encode(row, &message);
  return message.SerializeAsString();
}

absl::StatusOr<ProducerRow> DecodeProducerRow(absl::string_view bytes) {
  v1::ProducerRow message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::DataLossError("malformed row of a producer");
  return Decode(message, message);
}

void EncodeImport(std::vector<ProducerRow> rows,
                  v1::ImportProducersCommand* command) {
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ProducerRow& a, const ProducerRow& b) {
                     return a.stamp_ms < b.stamp_ms;
                   });
  struct Known {
    uint64_t epoch = 0;
    uint64_t oldest_number = 0;
    std::vector<const ProducerRow*> rows;  // Oldest first.
  };
  absl::flat_hash_map<absl::string_view, Known> producers;
  for (const ProducerRow& row : rows) {
    Known& known = producers[row.producer];
    known.epoch = std::max(known.epoch, row.epoch);
    known.oldest_number = std::max(known.oldest_number, row.oldest_number);
    known.rows.push_back(&row);
  }
  // Each at its newest row, so that who is idle longest comes first.
  for (const ProducerRow& row : rows) {
    const Known& known = producers[row.producer];
    if (known.rows.back() != &row) continue;
    v1::KnownProducer& told = *command->add_producers();
    told.set_producer(row.producer);
    told.set_epoch(known.epoch);
    told.set_oldest_number(known.oldest_number);
    for (const ProducerRow* of_it : known.rows) Encode(*of_it, told.add_rows());
  }
}

absl::StatusOr<std::vector<PlacedProducerRow>> DecodeImport(
    const v1::ImportProducersCommand& command, LogIndex index) {
  const ShardKey shard{StreamId(command.stream_id()),
                       ShardIndex(command.shard())};
  std::vector<PlacedProducerRow> rows;
  for (const v1::KnownProducer& known : command.producers()) {
    for (const v1::ProducerRow& encoded : known.rows()) {
      ASSIGN_OR_RETURN(ProducerRow row, Decode(known, encoded));
      const auto ordinal = static_cast<uint32_t>(rows.size());
      rows.push_back({shard, {index, ordinal}, std::move(row)});
    }
  }
  return rows;
}

}  // namespace trireme
