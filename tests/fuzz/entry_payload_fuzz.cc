// Bytes that claim to be an entry's payload, a stored block or a batch of
// records. Reading them must stay within them, whatever they say, and what is
// read must be what was encoded.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "storage/block.h"
#include "storage/check.h"
#include "storage/crc32c.h"
#include "storage/entry_payload.h"
#include "storage/fixed_ints.h"
#include "storage/record.h"
#include "tests/fuzz/input.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

bool IsWithin(absl::string_view part, absl::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() &&
          part.data() + part.size() <= whole.data() + whole.size());
}

// The number of records read before the end or the first malformed one.
uint64_t ReadRecords(absl::string_view batch) {
  RecordBatchReader reader(batch);
  RecordView record;
  uint64_t records = 0;
  uint64_t bytes = 0;
  for (; reader.Next(&record); ++records) {
    CHECK(IsWithin(record.partition_key, batch));
    CHECK(IsWithin(record.data, batch));
    bytes += EncodedRecordBytes(record);
  }
  CHECK(bytes <= batch.size());
  CHECK(!reader.status().ok() || bytes == batch.size());
  return records;
}

std::string MakeBatch(Input& input, uint32_t* count) {
  std::string batch;
  *count = static_cast<uint32_t>(1 + input.Below(3));
  for (uint32_t i = 0; i < *count; ++i) {
    const std::string key = input.Bytes(input.Byte() % 8);
    AppendRecord({key, input.Bytes(input.Byte() % 8)}, &batch);
  }
  return batch;
}

std::string MakeStamps(Input& input) {
  v1::EntryStamps stamps;
  for (uint64_t i = input.Below(4); i > 0; --i) {
    v1::BatchStamp& stamp = *stamps.add_stamps();
    stamp.set_batch(static_cast<uint32_t>(input.Below(4)));
    stamp.set_first(static_cast<uint32_t>(input.Below(3)));
    stamp.mutable_stamp()->set_producer(input.Bytes(input.Byte() % 4));
    stamp.mutable_stamp()->set_epoch(input.Number());
    stamp.mutable_stamp()->set_oldest_number(input.Number());
    for (uint64_t j = input.Below(4); j > 0; --j)
      stamp.mutable_stamp()->add_numbers(input.Number());
  }
  return stamps.SerializeAsString();
}

// A payload with right and wrong numbers in it.
std::string MakePayload(Input& input) {
  std::string payload;
  const auto kind = static_cast<uint8_t>(input.Mostly(8) ? 1 + input.Byte() % 3
                                                         : input.Byte());
  AppendLittle(kind, &payload);
  AppendLittle(static_cast<uint8_t>(input.Mostly(8) ? 1 : input.Byte()),
               &payload);
  AppendLittle(static_cast<uint16_t>(input.Mostly(8) ? 0 : input.Number()),
               &payload);
  const uint64_t batches = input.Below(4);
  AppendLittle(
      static_cast<uint32_t>(input.Mostly(8) ? batches : input.Number()),
      &payload);
  AppendLittle(input.Number(), &payload);
  if (kind == static_cast<uint8_t>(PayloadKind::kStamped)) {
    const std::string stamps = MakeStamps(input);
    AppendLittle(
        static_cast<uint32_t>(input.Mostly(8) ? stamps.size() : input.Number()),
        &payload);
    payload += stamps;
  }
  for (uint64_t i = 0; i < batches; ++i) {
    uint32_t count = 0;
    const std::string batch = MakeBatch(input, &count);
    AppendLittle(static_cast<uint32_t>(input.Number()), &payload);
    AppendLittle(static_cast<uint32_t>(input.Number()), &payload);
    AppendLittle(
        input.Mostly(8) ? count : static_cast<uint32_t>(input.Number()),
        &payload);
    AppendLittle(
        static_cast<uint32_t>(input.Mostly(8) ? batch.size() : input.Number()),
        &payload);
    payload += batch;
  }
  return payload;
}

void RunPayload(const std::string& payload) {
  const absl::StatusOr<DecodedPayload> decoded = DecodePayload(payload);
  if (!decoded.ok()) {
    CHECK(absl::IsDataLoss(decoded.status()), decoded.status().ToString());
    return;
  }
  CHECK(IsWithin(decoded->command, payload));
  bool is_stamped = false;
  for (const ShardBatch& batch : decoded->batches) {
    CHECK(IsWithin(batch.batch, payload));
    ReadRecords(batch.batch);
    for (const StampedRecords& stamped : batch.stamped) {
      CHECK(stamped.first + stamped.stamp->numbers.size() <=
            batch.record_count);
      is_stamped = true;
    }
  }
  const std::string again =
      decoded->kind == PayloadKind::kCommand
          ? EncodeCommandPayload(decoded->stamp_ms, decoded->command)
          : EncodeRecordsPayload(decoded->stamp_ms, decoded->batches);
  // Stamps may have been written in other ways, and in another order.
  CHECK(is_stamped ? DecodePayload(again).ok() : again == payload);
}

void RunBlock(Input& input) {
  BlockId id;
  id.group = GroupId(static_cast<uint32_t>(input.Number()));
  id.shard = {StreamId(static_cast<uint32_t>(input.Number())),
              ShardIndex(static_cast<uint32_t>(input.Number()))};
  id.first = input.Mostly(4) ? MakeCounter(input.Number(), 0) : input.Number();
  const Key key = BlockKey(id);
  std::string value;
  if (input.Mostly(4)) {
    uint32_t count = 0;
    const std::string batch = MakeBatch(input, &count);
    if (!input.Mostly(4)) count = static_cast<uint32_t>(input.Number());
    const auto header = MakeBlockHeader(
        key.view(), count, static_cast<int64_t>(input.Number()), batch);
    value.assign(header.data(), header.size());
    value += batch;
  }
  if (!input.Mostly(4)) value += input.Rest();
  const absl::StatusOr<BlockView> block = VerifyBlock(key.view(), value);
  if (!block.ok()) {
    CHECK(absl::IsDataLoss(block.status()), block.status().ToString());
    return;
  }
  CHECK(block->record_count >= 1 && block->arrival_ms >= 0);
  CHECK(block->last() >= block->id.first);
  CHECK(IsWithin(block->batch, value));
  ReadRecords(block->batch);
  // One bit of it in another place is found out.
  const size_t at = input.Below(value.size());
  value[at] = static_cast<char>(value[at] ^ 1 << input.Below(8));
  CHECK(!VerifyBlock(key.view(), value).ok());
}

void Run(Input input) {
  switch (input.Byte() % 4) {
    case 0:
      return RunPayload(input.Rest());
    case 1:
      return RunPayload(MakePayload(input));
    case 2:
      return RunBlock(input);
    default:
      ReadRecords(input.Rest());
  }
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(trireme::Input(data, size));
  return 0;
}
