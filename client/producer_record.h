// What a Producer is given, and what it tells of it. Values.
#ifndef TRIREME_CLIENT_PRODUCER_RECORD_H_
#define TRIREME_CLIENT_PRODUCER_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace trireme::client {

struct ProducerRecord {
  std::string partition_key;
  std::string data;
  std::string explicit_hash_key = {};  // Optional.
  uint64_t tag = 0;                    // For ProducerOptions::on_send.
  // From Put until the record is given up with DEADLINE_EXCEEDED/Expired, in
  // place of delivery_timeout.
  std::optional<absl::Duration> time_to_live = std::nullopt;

  uint64_t bytes() const { return partition_key.size() + data.size(); }
};

struct PutOutcome {
  std::string shard_id;
  std::string sequence_number;
  bool duplicate = false;  // An earlier try, or run, had written it there.
  // Its place among those that share its sequence number, from 0 on.
  uint64_t sub_sequence_number = 0;
};

using PutCallback = absl::AnyInvocable<void(absl::StatusOr<PutOutcome>)>;

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_PRODUCER_RECORD_H_
