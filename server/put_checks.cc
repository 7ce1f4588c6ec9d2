#include "server/put_checks.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "server/validation.h"
#include "storage/errors.h"
#include "storage/producer_stamp.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr size_t kSequenceNumberDigitsMax = 129;
// Less than 2^124 (kinesis-contract.md §2.2).
constexpr size_t kOldNumberDigitsMax = 37;
// Between who gave a number and this node.
constexpr absl::Duration kClockDifferenceMax = absl::Minutes(1);

bool IsProducerIdCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("_.:-").find(c) != absl::string_view::npos;
}

void CheckEntryShape(absl::string_view path, const PutEntry& entry,
                     Violations* violations) {
  // Names are built only when something is wrong: this runs for every record.
  // Whether there must be a key depends on the stream: CheckKeysGiven.
  const size_t key_characters = Utf8Characters(entry.partition_key);
  if (key_characters > kPartitionKeyCharactersMax) {
    violations->CheckLength(absl::StrCat(path, "partitionKey"),
                            entry.partition_key, key_characters, 0,
                            kPartitionKeyCharactersMax);
  }
  if (entry.data.size() > kDataBytesMax) {
    const std::string shown =
        absl::StrCat("java.nio.HeapByteBuffer[pos=0 lim=", entry.data.size(),
                     " cap=", entry.data.size(), "]");
    violations->CheckLength(absl::StrCat(path, "data"), shown,
                            entry.data.size(), 0, kDataBytesMax);
  }
  if (!entry.explicit_hash_key.empty() && !IsHashKey(entry.explicit_hash_key)) {
    violations->CheckHashKey(absl::StrCat(path, "explicitHashKey"),
                             entry.explicit_hash_key);
  }
}

absl::Status CheckNumbers(const std::optional<PutProducer>& producer,
                          std::span<const PutEntry> records) {
  if (!producer.has_value()) {
    for (const PutEntry& record : records) {
      if (record.number == 0) continue;
      return MakeError(ErrorReason::kInvalidArgument,
                       absl::StrCat("a record has the number ", record.number,
                                    ", but the request names no producer"));
    }
    return absl::OkStatus();
  }
  const absl::string_view id = producer->id;
  if (id.empty() || id.size() > kProducerIdBytesMax ||
      !std::all_of(id.begin(), id.end(), IsProducerIdCharacter)) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("producer_id '", Utf8Prefix(id, kProducerIdBytesMax),
                     "' of ", id.size(), " bytes must be 1 to ",
                     kProducerIdBytesMax, " of [a-zA-Z0-9_.:-]"));
  }
  std::vector<uint64_t> numbers;
  numbers.reserve(records.size());
  for (const PutEntry& record : records) {
    const uint64_t oldest = producer->oldest_number;
    if (record.number == 0 || record.number < oldest ||
        record.number - oldest >= kProducerWindow) {
      return MakeError(
          ErrorReason::kInvalidArgument,
          absl::StrCat("number ", record.number, " of producer ", id,
                       " must be at least 1 and oldest_number, ", oldest,
                       ", and less than ", kProducerWindow, " above it"));
    }
    numbers.push_back(record.number);
  }
  // Mostly they come in order.
  if (!std::is_sorted(numbers.begin(), numbers.end()))
    std::sort(numbers.begin(), numbers.end());
  const auto twice = std::adjacent_find(numbers.begin(), numbers.end());
  if (twice != numbers.end()) {
    return MakeError(ErrorReason::kInvalidArgument,
                     absl::StrCat("two records have the number ", *twice,
                                  " of producer ", id));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPutRecordShape(const PutRecordRequest& request) {
  Violations violations;
  CheckEntryShape("", request.record, &violations);
  const absl::string_view ordering = request.sequence_number_for_ordering;
  if (!ordering.empty() && !IsDecimal(ordering, kSequenceNumberDigitsMax)) {
    violations.Add("sequenceNumberForOrdering", ordering,
                   R"(Member must satisfy regular expression pattern: )"
                   R"(0|([1-9]\d{0,128}))");
  }
  RETURN_IF_ERROR(violations.ToStatus());
  return CheckNumbers(request.producer, std::span(&request.record, 1));
}

absl::Status CheckPutRecordsShape(const PutRecordsRequest& request) {
  Violations violations;
  const size_t count = request.records.size();
  violations.CheckLength("records", absl::StrCat("[", count, " records]"),
                         count, 1, kPutRecordsMax);
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    const PutEntry& entry = request.records[i];
    bytes += entry.data.size() + entry.partition_key.size();
    // Checked without a path first, so that good records cost no string.
    Violations probe;
    CheckEntryShape("", entry, &probe);
    if (probe.empty()) continue;
    CheckEntryShape(absl::StrCat("records.", i + 1, ".member."), entry,
                    &violations);
  }
  RETURN_IF_ERROR(violations.ToStatus());
  RETURN_IF_ERROR(CheckNumbers(request.producer, request.records));
  if (bytes > kPutRecordsBytesMax) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("Records size exceeds 10 MB limit: the request is ", bytes,
                     " bytes, keys included; the limit is ",
                     kPutRecordsBytesMax));
  }
  return absl::OkStatus();
}

absl::Status CheckKeysGiven(const Stream& stream,
                            std::span<const PutEntry> records, bool is_batch) {
  if (stream.distribution == RecordDistribution::kAuto) {
    return absl::OkStatus();
  }
  Violations violations;
  for (size_t i = 0; i < records.size(); ++i) {
    if (!records[i].partition_key.empty()) continue;
    violations.AddNull(
        is_batch ? absl::StrCat("records.", i + 1, ".member.partitionKey")
                 : "partitionKey");
  }
  return violations.ToStatus();
}

absl::Status CheckTakesNumbers(const Stream& stream) {
  if (stream.distribution != RecordDistribution::kAuto) return absl::OkStatus();
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("records cannot be put exactly once to stream ", stream.name,
                   ": its record distribution strategy is AUTO, so a record "
                   "that is sent again goes to another shard"));
}

absl::Status CheckRecordSizes(const Stream& stream,
                              std::span<const PutEntry> records) {
  for (size_t i = 0; i < records.size(); ++i) {
    const uint64_t bytes =
        records[i].data.size() + records[i].partition_key.size();
    if (bytes <= stream.record_bytes_max) continue;
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat(records.size() == 1 ? std::string("record")
                                         : absl::StrCat("record ", i + 1,
                                                        " of ", records.size()),
                     " is ", bytes,
                     " bytes, its partition key included; the "
                     "limit of stream ",
                     stream.name, " is ", stream.record_bytes_max));
  }
  return absl::OkStatus();
}

absl::Status BadOrderingNumber(absl::string_view text, const Stream& stream,
                               const Account& account) {
  return MakeError(ErrorReason::kInvalidArgument,
                   absl::StrCat("ExclusiveMinimumSequenceNumber ", text,
                                " used in PutRecord on stream ", stream.name,
                                " under account ", account.id, " is invalid."));
}

bool MayNameUnknownShard(absl::string_view ordering, const Stream& stream) {
  // Nearly every put: not worth the error that parsing nothing makes.
  if (ordering.empty()) return false;
  const absl::StatusOr<SequenceNumber> number = SequenceNumber::Parse(ordering);
  return number.ok() && stream.FindShard(number->shard) == nullptr;
}

absl::StatusOr<std::optional<Counter>> OrderingCounter(absl::string_view text,
                                                       const Stream& stream,
                                                       const Shard& shard,
                                                       absl::Time now,
                                                       const Account& account) {
  // Numbers of the first layouts, "0" among them, are below all of today's.
  if (text.size() <= kOldNumberDigitsMax) return std::nullopt;
  const absl::StatusOr<SequenceNumber> number = SequenceNumber::Parse(text);
  if (!number.ok()) return BadOrderingNumber(text, stream, account);
  if (number->shard == shard.index &&
      number->shard_created_s == shard.created_s) {
    return number->counter;
  }
  const absl::Time given =
      absl::FromUnixSeconds(static_cast<int64_t>(number->record_s));
  if (given > now + kClockDifferenceMax) {
    return BadOrderingNumber(text, stream, account);
  }
  return std::nullopt;
}

}  // namespace trireme
