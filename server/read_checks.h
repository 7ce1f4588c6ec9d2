// What is checked of a read before a shard is looked at (kinesis-contract.md
// §1.6): the shape of the request, the combination of its members, whether a
// sequence number belongs to the shard.
#ifndef TRIREME_SERVER_READ_CHECKS_H_
#define TRIREME_SERVER_READ_CHECKS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/api.h"

namespace trireme {

// Name of a type on the wire, e.g. "TRIM_HORIZON".
absl::string_view ShardIteratorTypeName(ShardIteratorType type);
// Of AT_TIMESTAMP: there, and not in the future.
absl::Status CheckTimestamp(const StartingPosition& position, absl::Time now);

// How an operation that takes a position calls itself and its members.
struct PositionNames {
  absl::string_view operation;
  absl::string_view type_path;
  absl::string_view number_path;
  absl::string_view number;  // In prose.
};
inline constexpr PositionNames kGetShardIteratorNames = {
    "GetShardIterator", "shardIteratorType", "startingSequenceNumber",
    "StartingSequenceNumber"};
inline constexpr PositionNames kSubscribeToShardNames = {
    "SubscribeToShard", "startingPosition.type",
    "startingPosition.sequenceNumber", "SequenceNumber"};

absl::Status CheckPosition(const GetShardIteratorRequest& request,
                           const PositionNames& names, absl::Time now);

// The position that AT_ or AFTER_SEQUENCE_NUMBER means. Takes the shard's own
// starting number, and numbers no record has.
absl::StatusOr<Counter> PositionOfNumber(const StartingPosition& position,
                                         const Stream& stream,
                                         const Shard& shard,
                                         const Account& account,
                                         const PositionNames& names);

absl::Status CheckGetRecords(const GetRecordsRequest& request);

}  // namespace trireme

#endif  // TRIREME_SERVER_READ_CHECKS_H_
