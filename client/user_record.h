// One record as its producer put it: a record of the stream, or one of those
// that an aggregated record holds (client/aggregation.h).
#ifndef TRIREME_CLIENT_USER_RECORD_H_
#define TRIREME_CLIENT_USER_RECORD_H_

#include <compare>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace trireme::client {

// A place in a shard. Sequence numbers all have 56 digits, so they compare as
// numbers do.
struct RecordPosition {
  std::string sequence_number;
  uint64_t sub_sequence_number = 0;  // Within an aggregated record, from 0 on.

  friend auto operator<=>(const RecordPosition&,
                          const RecordPosition&) = default;
};

struct UserRecord {
  RecordPosition position;
  // It shares its sequence number with others.
  bool aggregated = false;
  // Of the record that holds it.
  absl::Time approximate_arrival_timestamp;
  std::string partition_key;
  std::string explicit_hash_key;  // Of aggregated ones; empty: none.
  std::string data;

  uint64_t bytes() const { return partition_key.size() + data.size(); }
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_USER_RECORD_H_
