#include "storage/producer_row.h"

#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

void EncodeProducerRow(const ProducerRow& row, v1::ProducerRow* message) {
  message->set_producer(row.producer);
  message->set_epoch(row.epoch);
  message->set_oldest_number(row.oldest_number);
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

absl::StatusOr<ProducerRow> DecodeProducerRow(const v1::ProducerRow& message) {
  if (message.numbers_size() != message.positions_size() ||
      message.producer().empty())
    return absl::DataLossError("malformed row of a producer");
  ProducerRow row;
  row.producer = message.producer();
  row.epoch = message.epoch();
  row.oldest_number = message.oldest_number();
  row.stamp_ms = message.stamp_ms();
  row.shard = ShardIndex(message.shard());
  row.shard_created_s = message.shard_created_s();
  row.index = message.index();
  row.records.reserve(static_cast<size_t>(message.numbers_size()));
  for (int i = 0; i < message.numbers_size(); ++i)
    row.records.push_back({message.numbers(i), message.positions(i)});
  return row;
}

std::string EncodeProducerRow(const ProducerRow& row) {
  v1::ProducerRow message;
  EncodeProducerRow(row, &message);
  return message.SerializeAsString();
}

absl::StatusOr<ProducerRow> DecodeProducerRow(absl::string_view bytes) {
  v1::ProducerRow message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::DataLossError("malformed row of a producer");
  return DecodeProducerRow(message);
}

}  // namespace trireme
