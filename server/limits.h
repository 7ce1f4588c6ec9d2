// The limits of the contract, in one place (kinesis-contract.md §1.1, §2.3,
// §2.4, §2.5, §2.8; the rates of calls, §2.10, are in rate_limits.cc). A
// message that reports one names the value and the limit.
#ifndef TRIREME_SERVER_LIMITS_H_
#define TRIREME_SERVER_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace trireme {

inline constexpr size_t kStreamNameCharactersMax = 128;
inline constexpr size_t kShardIdCharactersMax = 128;
inline constexpr size_t kArnCharactersMax = 2048;

// Any request: 10 MiB of records and what protobuf adds.
inline constexpr size_t kRequestBytesMax = 16u << 20;

// Writing.
inline constexpr size_t kPartitionKeyCharactersMax = 256;
inline constexpr size_t kDataBytesMax = 10u << 20;
inline constexpr size_t kPutRecordsMax = 500;
inline constexpr size_t kPutRecordsBytesMax = 10u << 20;
// What a stream may allow its largest record to be; the least is the default.
inline constexpr int kStreamRecordKibMaxLow = 1024;
inline constexpr int kStreamRecordKibMaxHigh = 10 * 1024;

// Reading.
inline constexpr size_t kShardIteratorCharactersMax = 512;
inline constexpr absl::Duration kShardIteratorLife = absl::Seconds(300);
inline constexpr int kGetRecordsMax = 10'000;
inline constexpr size_t kGetRecordsBytesMax = 10u << 20;

// Fan-out. An event is larger only when a single record is.
inline constexpr size_t kEventBytesMax = 1u << 20;
inline constexpr absl::Duration kHeartbeatPeriod = absl::Seconds(5);
inline constexpr absl::Duration kSubscriptionLife = absl::Minutes(5);
// A registered consumer's subscription of a shard may be taken over from then
// on.
inline constexpr absl::Duration kSubscriptionHeld = absl::Seconds(5);
// Registered, of a stream; the second with the account's commitment.
inline constexpr uint32_t kConsumersMax = 20;
inline constexpr uint32_t kConsumersMaxCommitted = 50;

// Consumer groups, of a stream; and workers, of a group.
inline constexpr uint32_t kConsumerGroupsMax = 100;
inline constexpr uint32_t kGroupWorkersMax = 10'000;
inline constexpr size_t kLeasesPerCallMax = 500;
inline constexpr size_t kLeasesPerHeartbeatMax = 10'000;
inline constexpr int kDescribeGroupPage = 1'000;

// Tables of items, and bytes of all their items together.
inline constexpr uint32_t kTablesMax = 256;
inline constexpr uint64_t kTableItemsBytesMax = 64u << 20;

// Streams. Lists take up to kListLimitMax and return at most a page.
inline constexpr int kListLimitMax = 10'000;
inline constexpr int kDescribeStreamPage = 100;
inline constexpr int kListStreamsPage = 100;
inline constexpr int kListShardsPage = 1'000;
inline constexpr int kListConsumersPage = 100;
inline constexpr size_t kNextTokenCharactersMax = 1'048'576;
inline constexpr absl::Duration kNextTokenLife = absl::Seconds(300);
inline constexpr int kStreamsCreatingMax = 5;
inline constexpr uint64_t kShardsMax = 10'000;
inline constexpr size_t kHashKeyDigitsMax = 39;
inline constexpr uint32_t kRetentionHoursDefault = 24;
inline constexpr uint32_t kOnDemandStreamsMax = 50;
inline constexpr uint32_t kOnDemandShardsAtFirst = 4;
inline constexpr int kWarmMibpsMax = 10 * 1024;

// Tags. A request may hold more than a resource.
inline constexpr size_t kTagKeyCharactersMax = 128;
inline constexpr size_t kTagValueCharactersMax = 256;
inline constexpr size_t kTagsOfRequestMax = 200;
inline constexpr size_t kTagKeysOfRequestMax = 50;
inline constexpr size_t kTagsMax = 50;

// Settings.
inline constexpr size_t kPolicyBytesMax = 20u << 10;
inline constexpr size_t kKeyIdCharactersMax = 2048;
inline constexpr size_t kShardMetricsOfRequestMax = 7;

// Rates of the limits profile `kinesis`.
inline constexpr uint64_t kShardRecordsPerSecond = 1000;
inline constexpr uint64_t kShardBytesPerSecond = 1u << 20;  // Keys included.
inline constexpr uint64_t kShardBytesBurst = 10u << 20;  // One largest record.
inline constexpr uint64_t kShardReadsPerSecond = 5;
inline constexpr uint64_t kShardReadBytesPerSecond = 2u << 20;
inline constexpr uint64_t kShardIteratorsPerSecond = 5;
inline constexpr uint64_t kConsumerSubscribesPerSecond = 1;    // A shard.
inline constexpr uint64_t kConsumerBytesPerSecond = 2u << 20;  // A shard.

}  // namespace trireme

#endif  // TRIREME_SERVER_LIMITS_H_
