// The API in C++ terms: what every front end translates to and from. Requests
// hold views that belong to the caller and must stay valid until its callback
// was called. Callbacks are called exactly once, on any thread, and must not
// block. Errors are typed (storage/errors.h).
#ifndef TRIREME_SERVER_API_H_
#define TRIREME_SERVER_API_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/admission.h"
#include "server/put_sequence.h"
#include "server/record_encoding.h"
#include "server/resource_names.h"
#include "server/router.h"
#include "server/shard_filter.h"
#include "server/shard_lineage.h"
#include "storage/catalog.h"
#include "storage/sequence_number.h"

namespace trireme {

// Whether a stream's answers say EncryptionType KMS.
inline bool IsEncrypted(const Stream& stream) {
  return !stream.kms_key_id.empty();
}

template <typename T>
using Done = absl::AnyInvocable<void(absl::StatusOr<T>)>;

// --- Writing ---

struct PutEntry {
  absl::string_view data;
  absl::string_view partition_key;      // Empty: none; for AUTO streams only.
  absl::string_view explicit_hash_key;  // Empty: none.
  uint64_t number = 0;                  // Its producer's for it. 0: none.
};
// Of records that are put exactly once (records.proto, Producer).
struct PutProducer {
  absl::string_view id;
  uint64_t epoch = 0;
  uint64_t oldest_number = 0;
};
struct PutRecordRequest {
  StreamAddress stream;
  PutEntry record;
  absl::string_view sequence_number_for_ordering;  // Empty: none.
  // As in all that have it: only says whether the call would succeed
  // (server/dry_run.h).
  bool dry_run = false;
  std::optional<PutProducer> producer = {};
};
struct PutRecordsRequest {
  StreamAddress stream;
  std::vector<PutEntry> records;
  // Of a caller that puts the next before this one is answered, and wants them
  // in order. Null: none.
  std::shared_ptr<PutSequence> sequence;
  bool dry_run = false;
  std::optional<PutProducer> producer = {};
};
// Where one record came to stand, or why it is not known to stand anywhere.
struct PutResult {
  absl::Status status;
  SequenceNumber sequence_number;  // Names its shard too.
  bool duplicate = false;  // An earlier put of its producer wrote it there.
  bool encrypted = false;  // Of PutRecord: as below.
};
struct PutRecordsResponse {
  std::vector<PutResult> records;  // As many as were sent, in order.
  bool encrypted = false;          // The stream is.
};

// --- Reading ---

// On both wires by name; the numbers are ours alone.
enum class ShardIteratorType {
  kUnspecified,
  kAtSequenceNumber,
  kAfterSequenceNumber,
  kTrimHorizon,
  kLatest,
  kAtTimestamp,
};
struct StartingPosition {
  ShardIteratorType type = ShardIteratorType::kUnspecified;
  absl::string_view sequence_number;  // Empty: none.
  std::optional<absl::Time> timestamp;
};
struct GetShardIteratorRequest {
  StreamAddress stream;
  absl::string_view shard_id;
  StartingPosition position;
  bool dry_run = false;
};
struct GetShardIteratorResponse {
  std::string shard_iterator;
};

struct GetRecordsRequest {
  absl::string_view shard_iterator;
  int32_t limit = 0;             // 0: kGetRecordsMax.
  absl::string_view stream_arn;  // Empty: none.
  absl::string_view stream_id;   // Empty: none.
  bool dry_run = false;
};
struct GetRecordsResponse {
  RecordRun records;
  // Empty exactly when the shard is closed and read to its end.
  std::string next_shard_iterator;
  int64_t millis_behind_latest = 0;
  std::vector<ChildShard> child_shards;
  bool encrypted = false;  // The stream is.
  Ticket ticket;  // Held until the answer has left the node.
};

struct SubscribeToShardRequest {
  StreamAddress stream;
  absl::string_view shard_id;
  StartingPosition position;
  // Of a registered consumer; then `stream` may be left out. Empty: none.
  absl::string_view consumer_arn;
  bool dry_run = false;
};
struct SubscriptionEvent {
  RecordRun records;
  // Empty exactly in the last event of a closed shard.
  std::string continuation_sequence_number;
  int64_t millis_behind_latest = 0;
  std::vector<ChildShard> child_shards;  // In that event only.
  bool encrypted = false;                // The stream is.
};

// --- Streams ---

struct CreateStreamRequest {
  absl::string_view stream_name;
  int32_t shard_count = 0;
  int32_t max_record_size_in_kib = 0;  // 0: the default.
  Tags tags;
  StreamMode mode = StreamMode::kProvisioned;
  std::optional<int32_t> warm_mibps;
  RecordDistribution distribution = RecordDistribution::kUserPartitionKey;
};
struct DeleteStreamRequest {
  StreamAddress stream;
  bool enforce_consumer_deletion = false;
};
struct DescribeStreamRequest {
  StreamAddress stream;
  int32_t limit = 0;                           // 0: a full page.
  absl::string_view exclusive_start_shard_id;  // Empty: from the first.
};
struct DescribeStreamResponse {
  StreamPtr stream;
  std::vector<const Shard*> shards;  // Of `stream`.
  bool has_more_shards = false;
};
struct ListStreamsRequest {
  int32_t limit = 0;
  absl::string_view exclusive_start_stream_name;
  absl::string_view next_token;
};
struct ListStreamsResponse {
  std::vector<StreamPtr> streams;
  bool has_more_streams = false;
  std::string next_token;
};
struct SplitShardRequest {
  StreamAddress stream;
  absl::string_view shard_to_split;
  absl::string_view new_starting_hash_key;  // Decimal; the upper child's.
};
struct MergeShardsRequest {
  StreamAddress stream;
  absl::string_view shard_to_merge;
  absl::string_view adjacent_shard_to_merge;
};
struct UpdateShardCountRequest {
  StreamAddress stream;
  int32_t target_shard_count = 0;
};
struct UpdateShardCountResponse {
  StreamPtr stream;  // As it was before.
  uint32_t target_shard_count = 0;
};
struct UpdateMaxRecordSizeRequest {
  StreamAddress stream;
  int32_t max_record_size_in_kib = 0;
};
// Of IncreaseStreamRetentionPeriod and DecreaseStreamRetentionPeriod.
struct RetentionPeriodRequest {
  StreamAddress stream;
  int32_t retention_period_hours = 0;
};
struct DescribeLimitsResponse {
  uint64_t shard_limit = 0;
  uint64_t open_shard_count = 0;
  uint64_t on_demand_stream_count = 0;
  uint64_t on_demand_stream_count_limit = 0;
};
struct AddTagsRequest {
  StreamAddress stream;
  Tags tags;
};
struct RemoveTagsRequest {
  StreamAddress stream;
  std::vector<std::string> keys;
};
struct ListTagsRequest {
  StreamAddress stream;
  absl::string_view exclusive_start_tag_key;  // Empty: from the first.
  int32_t limit = 0;                          // 0: all.
};
struct ListTagsResponse {
  Tags tags;
  bool has_more_tags = false;
};
struct ListShardsRequest {
  StreamAddress stream;
  absl::string_view next_token;
  int32_t max_results = 0;
  absl::string_view exclusive_start_shard_id;
  ShardFilter filter;
  // Of the stream meant, if another of its name may have come. In seconds.
  std::optional<absl::Time> stream_creation_timestamp;
};
struct ListShardsResponse {
  StreamPtr stream;
  std::vector<const Shard*> shards;  // Of `stream`.
  std::string next_token;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_API_H_
