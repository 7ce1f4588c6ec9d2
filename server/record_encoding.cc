#include "server/record_encoding.h"

#include "storage/check.h"
#include "storage/record.h"
#include "storage/sequence_number.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// Tags of length-delimited fields: field << 3 | 2.
constexpr char kRecordsTag = 1 << 3 | 2;         // Of the event or response.
constexpr char kSequenceNumberTag = 1 << 3 | 2;  // Of a Record.
constexpr char kArrivalTag = 2 << 3 | 2;
constexpr char kPartitionKeyTag = 3 << 3 | 2;
constexpr char kDataTag = 4 << 3 | 2;
// Of google.protobuf.Timestamp; varints.
constexpr char kSecondsTag = 1 << 3;
constexpr char kNanosTag = 2 << 3;

// Room for tags, lengths, sequence number and arrival time of one record.
constexpr size_t kOverheadBytes = 112;
// Of these, what a record of today takes, give or take a few bytes.
constexpr uint64_t kFramingBytes = 80;

size_t VarintBytes(uint64_t value) {
  size_t bytes = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++bytes;
  }
  return bytes;
}

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

void AppendBytes(char tag, absl::string_view bytes, std::string* out) {
  out->push_back(tag);
  AppendVarint(bytes.size(), out);
  out->append(bytes.data(), bytes.size());
}

size_t FieldBytes(absl::string_view bytes) {
  return 1 + VarintBytes(bytes.size()) + bytes.size();
}

// The field approximate_arrival_timestamp, the same for a whole batch.
std::string ArrivalField(int64_t arrival_ms) {
  std::string timestamp;
  if (const int64_t seconds = arrival_ms / 1000; seconds != 0) {
    timestamp.push_back(kSecondsTag);
    AppendVarint(static_cast<uint64_t>(seconds), &timestamp);
  }
  if (const int64_t nanos = arrival_ms % 1000 * 1'000'000; nanos != 0) {
    timestamp.push_back(kNanosTag);
    AppendVarint(static_cast<uint64_t>(nanos), &timestamp);
  }
  std::string field;
  AppendBytes(kArrivalTag, timestamp, &field);
  return field;
}

void AppendEncoded(const RecordView& record, absl::string_view number,
                   absl::string_view arrival, std::string* out) {
  size_t bytes = FieldBytes(number) + arrival.size();
  // Empty fields are left out, as protobuf itself does.
  if (!record.partition_key.empty()) bytes += FieldBytes(record.partition_key);
  if (!record.data.empty()) bytes += FieldBytes(record.data);
  out->push_back(kRecordsTag);
  AppendVarint(bytes, out);
  AppendBytes(kSequenceNumberTag, number, out);
  out->append(arrival.data(), arrival.size());
  if (!record.partition_key.empty()) {
    AppendBytes(kPartitionKeyTag, record.partition_key, out);
  }
  if (!record.data.empty()) AppendBytes(kDataTag, record.data, out);
}

// The number at the front of `encoded`, which goes on after it.
uint64_t TakeVarint(absl::string_view* encoded) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    CHECK(!encoded->empty() && shift < 64, "an encoded batch is cut off");
    const auto byte = static_cast<uint8_t>(encoded->front());
    encoded->remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

absl::string_view TakeBytes(absl::string_view* encoded) {
  const uint64_t length = TakeVarint(encoded);
  CHECK(length <= encoded->size(), "an encoded batch is cut off");
  const absl::string_view bytes = encoded->substr(0, length);
  encoded->remove_prefix(length);
  return bytes;
}

// The fields of the record at the front of `encoded`, which goes on after it.
absl::string_view TakeFields(absl::string_view* encoded) {
  CHECK(!encoded->empty() && encoded->front() == kRecordsTag,
        "an encoded batch is not where its records are");
  encoded->remove_prefix(1);
  return TakeBytes(encoded);
}

// Bytes of the record at the front of `encoded`, its tag and length included.
size_t FirstRecordBytes(absl::string_view encoded) {
  const size_t before = encoded.size();
  TakeFields(&encoded);
  return before - encoded.size();
}

int64_t ArrivalMs(absl::string_view timestamp) {
  uint64_t ms = 0;
  while (!timestamp.empty()) {
    const char tag = timestamp.front();
    timestamp.remove_prefix(1);
    const uint64_t value = TakeVarint(&timestamp);
    ms += tag == kSecondsTag ? value * 1000 : value / 1'000'000;
  }
  return static_cast<int64_t>(ms);
}

}  // namespace

absl::StatusOr<std::string> EncodeRecords(const BatchOrigin& origin,
                                          absl::string_view batch) {
  size_t records = 0;
  RecordView record;
  for (RecordBatchReader reader(batch); reader.Next(&record);) ++records;
  std::string out;
  out.reserve(batch.size() + records * kOverheadBytes);

  const std::string arrival = ArrivalField(origin.arrival_ms);
  SequenceNumber number{origin.shard_created_s, origin.shard, origin.first,
                        static_cast<uint64_t>(origin.arrival_ms / 1000)};
  std::string number_text;
  RecordBatchReader reader(batch);
  while (reader.Next(&record)) {
    number_text.clear();
    number.AppendTo(&number_text);
    AppendEncoded(record, number_text, arrival, &out);
    ++number.counter;
  }
  RETURN_IF_ERROR(reader.status());
  return out;
}

EncodedRecord TakeRecord(absl::string_view* encoded) {
  absl::string_view fields = TakeFields(encoded);
  EncodedRecord record;
  while (!fields.empty()) {
    const char tag = fields.front();
    fields.remove_prefix(1);
    const absl::string_view bytes = TakeBytes(&fields);
    switch (tag) {
      case kSequenceNumberTag:
        record.sequence_number = bytes;
        break;
      case kArrivalTag:
        record.arrival_ms = ArrivalMs(bytes);
        break;
      case kPartitionKeyTag:
        record.partition_key = bytes;
        break;
      case kDataTag:
        record.data = bytes;
        break;
      default:
        CHECK(false, "an encoded record has an unknown field");
    }
  }
  return record;
}

uint64_t CountedBytes(const RecordRun& run) {
  const uint64_t framing = uint64_t{run.record_count} * kFramingBytes;
  return run.bytes > framing ? run.bytes - framing : 0;
}

bool AppendToRun(const EncodedBatch& batch, const RunLimits& limits,
                 RecordRun* run) {
  absl::string_view rest = *batch.bytes;
  Counter counter = batch.first;
  const Counter end = batch.first + batch.record_count;
  for (; counter < run->next && counter < end; ++counter) {
    rest.remove_prefix(FirstRecordBytes(rest));
  }
  size_t taken = 0;
  uint32_t records = 0;
  bool limited = false;
  for (; counter < end; ++counter) {
    const size_t bytes = FirstRecordBytes(rest.substr(taken));
    const uint32_t count = run->record_count + records;
    limited = count >= limits.records_max ||
              (count > 0 && run->bytes + taken + bytes > limits.bytes_max);
    if (limited) break;
    taken += bytes;
    ++records;
  }
  if (records > 0) {
    run->spans.push_back({batch.bytes, rest.substr(0, taken)});
    run->record_count += records;
    run->bytes += taken;
    run->next = counter;
    run->last_arrival_ms = batch.arrival_ms;
  }
  return !limited;
}

}  // namespace trireme
