#include "server/read_checks.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "server/validation.h"
#include "storage/errors.h"
#include "storage/sequence_number.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

constexpr size_t kSequenceNumberDigitsMax = 129;

bool IsBySequenceNumber(ShardIteratorType type) {
  return type == ShardIteratorType::kAtSequenceNumber ||
         type == ShardIteratorType::kAfterSequenceNumber;
}

absl::Status CheckShape(const GetShardIteratorRequest& request,
                        const PositionNames& names) {
  Violations violations;
  CheckResourceName("shardId", request.shard_id, &violations);
  if (request.position.type == ShardIteratorType::kUnspecified) {
    violations.Add(names.type_path, "",
                   "Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER,"
                   " LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]");
  }
  const absl::string_view number = request.position.sequence_number;
  if (!number.empty() && !IsDecimal(number, kSequenceNumberDigitsMax)) {
    violations.Add(names.number_path, number,
                   R"(Member must satisfy regular expression pattern: )"
                   R"(0|([1-9]\d{0,128}))");
  }
  return violations.ToStatus();
}

}  // namespace

absl::Status CheckTimestamp(const StartingPosition& position, absl::Time now) {
  if (!position.timestamp.has_value()) {
    return MakeError(ErrorReason::kInvalidArgument,
                     "Must specify timestampInMillis parameter for iterator "
                     "of type AT_TIMESTAMP. Current request has no timestamp "
                     "parameter.");
  }
  if (*position.timestamp > now) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("The timestampInMillis parameter cannot be greater than "
                     "the currentTimestampInMillis. timestampInMillis: ",
                     absl::ToUnixMillis(*position.timestamp),
                     ", currentTimestampInMillis: ", absl::ToUnixMillis(now)));
  }
  return absl::OkStatus();
}

absl::string_view ShardIteratorTypeName(ShardIteratorType type) {
  switch (type) {
    case ShardIteratorType::kAtSequenceNumber:
      return "AT_SEQUENCE_NUMBER";
    case ShardIteratorType::kAfterSequenceNumber:
      return "AFTER_SEQUENCE_NUMBER";
    case ShardIteratorType::kTrimHorizon:
      return "TRIM_HORIZON";
    case ShardIteratorType::kLatest:
      return "LATEST";
    case ShardIteratorType::kAtTimestamp:
      return "AT_TIMESTAMP";
    case ShardIteratorType::kUnspecified:
      break;
  }
  return "";
}

absl::Status CheckPosition(const GetShardIteratorRequest& request,
                           const PositionNames& names, absl::Time now) {
  RETURN_IF_ERROR(CheckShape(request, names));
  const StartingPosition& position = request.position;
  const bool has_number = !position.sequence_number.empty();
  const bool is_at_timestamp = position.type == ShardIteratorType::kAtTimestamp;
  if (has_number != IsBySequenceNumber(position.type)) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("Must either specify (1) AT_SEQUENCE_NUMBER or "
                     "AFTER_SEQUENCE_NUMBER and ",
                     names.number, " or (2) TRIM_HORIZON or LATEST and no ",
                     names.number, ". Request specified ",
                     ShardIteratorTypeName(position.type), " and ",
                     has_number ? "also a " : "no ", names.number, "."));
  }
  if (is_at_timestamp) return CheckTimestamp(position, now);
  if (position.timestamp.has_value()) {
    return MakeError(ErrorReason::kInvalidArgument,
                     absl::StrCat("A timestamp may be given with AT_TIMESTAMP "
                                  "only. Request specified ",
                                  ShardIteratorTypeName(position.type), "."));
  }
  return absl::OkStatus();
}

absl::StatusOr<Counter> PositionOfNumber(const StartingPosition& position,
                                         const Stream& stream,
                                         const Shard& shard,
                                         const Account& account,
                                         const PositionNames& names) {
  const absl::string_view text = position.sequence_number;
  const std::string invalid =
      absl::StrCat(names.number, " ", text, " used in ", names.operation,
                   " on shard ", ShardIdToString(shard.index), " in stream ",
                   stream.name, " under account ", account.id, " is invalid");
  const absl::StatusOr<SequenceNumber> number = SequenceNumber::Parse(text);
  if (!number.ok()) {
    return MakeError(ErrorReason::kInvalidArgument, absl::StrCat(invalid, "."));
  }
  const Shard* from = stream.FindShard(number->shard);
  if (from == nullptr || from->created_s != number->shard_created_s) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat(invalid, " because it did not come from this stream."));
  }
  if (number->shard != shard.index) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("Invalid ", names.number, ". It encodes ",
                     ShardIdToString(number->shard),
                     ", while it was used in a call to a shard with ",
                     ShardIdToString(shard.index)));
  }
  const bool after = position.type == ShardIteratorType::kAfterSequenceNumber;
  return number->counter + (after ? 1 : 0);
}

absl::Status CheckGetRecords(const GetRecordsRequest& request) {
  Violations violations;
  violations.CheckLength("shardIterator", request.shard_iterator,
                         request.shard_iterator.size(), 1,
                         kShardIteratorCharactersMax);
  if (request.limit != 0) {
    violations.CheckRange("limit", request.limit, 1, kGetRecordsMax);
  }
  return violations.ToStatus();
}

}  // namespace trireme
