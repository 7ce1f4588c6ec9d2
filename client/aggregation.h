// The aggregated record of Kinesis's producer library: several user records in
// one record of a stream (kinesis-contract.md §4.1,
// proto/trireme/v1/aggregated_record.proto).
#ifndef TRIREME_CLIENT_AGGREGATION_H_
#define TRIREME_CLIENT_AGGREGATION_H_

#include <google/protobuf/arena.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "client/hash_key.h"
#include "client/producer_record.h"
#include "client/user_record.h"
#include "trireme/v1/aggregated_record.pb.h"
#include "trireme/v1/records.pb.h"

namespace trireme::client {

// The partition key of every aggregate; its explicit hash key is the hash key
// of its first user record.
inline constexpr char kAggregatePartitionKey[] = "a";
// The magic and the MD5.
inline constexpr uint64_t kAggregateOverheadBytes = 20;

// User records of one shard, in order. No thread's in particular.
class Aggregate {
 public:
  Aggregate();

  // How long Encode's answer would be with `record` too.
  uint64_t BytesWith(const ProducerRecord& record) const;
  // Takes the key, the explicit hash key and the data.
  void Add(ProducerRecord record);

  size_t count() const { return static_cast<size_t>(message_->records_size()); }
  // How long Encode's answer would be.
  uint64_t bytes() const { return bytes_; }
  // Of the first user record. There is one, and it has a hash key.
  HashKey FirstHashKey() const;
  // What goes out as the data. One user record alone is to be sent plain.
  std::string Encode() const;
  // Leaves it empty.
  std::vector<ProducerRecord> TakeRecords();

 private:
  using Table = absl::flat_hash_map<std::string, uint64_t>;  // To indices.

  // Members are many and small: they are not allocated one by one.
  std::unique_ptr<google::protobuf::Arena> arena_;
  v1::AggregatedRecord* message_;  // In the arena.
  Table partition_keys_;
  Table explicit_hash_keys_;
  uint64_t bytes_ = kAggregateOverheadBytes;
};

// The record as one user record.
UserRecord AsItIs(const v1::Record& record);

// Bounds on what a record says it holds; one that says more is no aggregate.
inline constexpr int kAggregateRecordsMax = 1 << 20;
inline constexpr uint64_t kAggregateKeyBytesMax = 64 << 20;  // All keys.

// Appends the user records in `record`, or the record as it is when it is no
// aggregate: the magic is not there, the MD5 is wrong, the message is malformed
// or a key's index is outside its table. An aggregate of which any member's
// hash key is outside `range` (null: any) is left out as a whole, as Kinesis's
// own readers do: it was written after a reshard that its producer did not know
// of, who puts all of its members again.
void Deaggregate(const v1::Record& record, const HashKeyRange* range,
                 std::vector<UserRecord>* to);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_AGGREGATION_H_
