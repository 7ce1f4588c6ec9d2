// What is checked of a put before anything is written (kinesis-contract.md
// §1.1, §1.5): first the shape (ValidationException), then the values.
#ifndef TRIREME_SERVER_PUT_CHECKS_H_
#define TRIREME_SERVER_PUT_CHECKS_H_

#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/api.h"

namespace trireme {

absl::Status CheckPutRecordShape(const PutRecordRequest& request);
absl::Status CheckPutRecordsShape(const PutRecordsRequest& request);

// Partition keys are optional in AUTO streams only. A ValidationException;
// `is_batch`: of a PutRecords.
absl::Status CheckKeysGiven(const Stream& stream,
                            std::span<const PutEntry> records, bool is_batch);

// A producer's records can be told from copies of them in this stream.
absl::Status CheckTakesNumbers(const Stream& stream);

// Data and key together against the stream's limit.
absl::Status CheckRecordSizes(const Stream& stream,
                              std::span<const PutEntry> records);

// The number is of a shard that the stream, as it is known here, has not (yet).
bool MayNameUnknownShard(absl::string_view ordering, const Stream& stream);
// SequenceNumberForOrdering: the counter that a record of `shard` must come
// after, if it is a number of that shard. One of another shard or stream orders
// nothing. InvalidArgument for what is no number, or of the future.
absl::StatusOr<std::optional<Counter>> OrderingCounter(absl::string_view text,
                                                       const Stream& stream,
                                                       const Shard& shard,
                                                       absl::Time now,
                                                       const Account& account);
absl::Status BadOrderingNumber(absl::string_view text, const Stream& stream,
                               const Account& account);

}  // namespace trireme

#endif  // TRIREME_SERVER_PUT_CHECKS_H_
