// Where a worker tells of batches that it gave up (client/batch_processor.h).
#ifndef TRIREME_CLIENT_FAILURE_DESTINATION_H_
#define TRIREME_CLIENT_FAILURE_DESTINATION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/client.h"
#include "client/user_record.h"

namespace trireme::client {

enum class DiscardReason { kRetryAttemptsExhausted, kRecordAgeExceeded };

// Records that were given up together. Its views are valid during Send.
struct DiscardedBatch {
  // The same when it is sent again.
  std::string request_id;
  absl::string_view stream_name;
  absl::string_view stream_arn;  // Empty: not known.
  absl::string_view shard_id;
  absl::string_view group_name;
  absl::string_view worker_id;
  DiscardReason reason;
  // How often the function was called with these records; at least 1.
  int invoke_count = 1;
  // What the last call failed with. None when it only reported records that
  // failed, and when records are too old.
  std::optional<absl::Status> error;
  absl::Time time;
  absl::Span<const UserRecord> records;  // One at least.
};

// The failure record of kinesis-contract.md §6.3 as JSON; docs/
// batch-processing.md shows one. `with_records` adds the records themselves as
// `payload`, their data in base64.
std::string FailureRecordJson(const DiscardedBatch& batch, bool with_records);

// Called by the threads of many shards at once.
class FailureDestination {
 public:
  virtual ~FailureDestination() = default;

  // The batch is over when this returns OK. An error: it is sent again after a
  // pause, and nothing behind it is handled before that.
  virtual absl::Status Send(const DiscardedBatch& batch) = 0;
};

// Puts a failure record to another stream; its partition key is the id of the
// shard that the batch came from. When nobody knows if a put took place it is
// repeated: the record may be there twice, with the same requestId.
class StreamFailureDestination : public FailureDestination {
 public:
  struct Options {
    std::string stream_name;
    // The records too, unless the failure record would become larger than
    // record_bytes_max with them: then it says "payloadOmitted": true.
    bool with_records = false;
    // What the stream takes, its own limit: 1..10 MiB.
    uint64_t record_bytes_max = 1 << 20;
  };

  // `client` must outlive it.
  StreamFailureDestination(Client& client, Options options);

  absl::Status Send(const DiscardedBatch& batch) override;

 private:
  // Set at construction.
  Client& client_;
  const Options options_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_FAILURE_DESTINATION_H_
