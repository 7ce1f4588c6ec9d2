// How a Producer works. Values.
#ifndef TRIREME_CLIENT_PRODUCER_OPTIONS_H_
#define TRIREME_CLIENT_PRODUCER_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace trireme::client {

// What happens to a record of which nobody knows if it was written.
enum class Delivery {
  // It is sent again, and the cluster writes it once (records.proto, Producer).
  // Not to streams whose record distribution strategy is AUTO.
  kExactlyOnce,
  // It is sent again; it may be there twice, the copies in order.
  kAtLeastOnce,
  // Its callback gets DEADLINE_EXCEEDED/OutcomeUnknown.
  kAtMostOnce,
};

// Who puts exactly once, over several runs.
struct ProducerIdentity {
  std::string id;      // 1..128 of [a-zA-Z0-9_.:-]; one run at a time has it.
  uint64_t epoch = 0;  // Higher with each run: fences what is left of earlier.
  // 1 or more. Records are numbered from it in the order of Put, and a number
  // means the same record in all runs: one that an earlier run has put is not
  // put again. Such as the position in a file to read on from.
  uint64_t first_number = 0;
};

// User records of one shard travel and are stored as one record, an aggregate
// (client/aggregation.h). Not with an identity, whose numbers mean one user
// record each; not to streams whose record distribution strategy is AUTO.
struct AggregationOptions {
  // Of an aggregate, 64..10,485,759; a user record that is larger goes alone. A
  // stream takes records of 1 MiB unless told otherwise.
  uint64_t aggregate_bytes_max = 51'200;
  uint64_t aggregate_records_max = 1 << 20;  // 1..1,048,576: readers' limit.
  // A user record waits no longer than this for others to go with.
  absl::Duration buffered_time_max = absl::Milliseconds(100);
};

// Of the data of records, or of whole aggregates, when that makes them smaller
// (client/compression.h). Readers must ask for it: `trireme get --deaggregate`,
// client/unpack.h; others see zstd's bytes.
struct CompressionOptions {
  int level = 3;  // 1..19.
};

struct ProducerOptions {
  std::string stream_name;
  int lanes = 1;  // Of each replication group; 1..1,000.
  // Buffered, queued and sent together: their keys and data, and how many. A
  // record of any size is taken while there is less.
  uint64_t unanswered_bytes_max = 32 << 20;
  uint64_t unanswered_records_max = 500'000;
  // Of one request: 1..500 records, and of bytes 10 MiB, which the service
  // allows. A record that is larger than request_bytes_max goes alone.
  int request_records_max = 500;
  uint64_t request_bytes_max = 1 << 20;
  // On one lane; 1..10,000.
  int requests_in_flight_max = 8;
  // From Put until a record that cannot be delivered is given up. What is sent
  // waits for its answer.
  absl::Duration delivery_timeout = absl::Minutes(2);
  // A request without an answer for so long breaks its lane's call.
  absl::Duration answer_timeout = absl::Seconds(30);
  Delivery delivery = Delivery::kExactlyOnce;
  // Of a producer that puts exactly once and goes on after a crash. Without one
  // it has an id of this run's alone.
  std::optional<ProducerIdentity> identity = std::nullopt;
  std::optional<AggregationOptions> aggregation = std::nullopt;
  std::optional<CompressionOptions> compression = std::nullopt;
  // Of a stream whose record distribution strategy is AUTO. To any other a
  // record without a key fails its whole request.
  bool keys_optional = false;
  // Called with a record's tag on the lane's thread just before the request
  // that holds it is handed to gRPC; again when it is repeated.
  std::function<void(uint64_t tag)> on_send;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_PRODUCER_OPTIONS_H_
