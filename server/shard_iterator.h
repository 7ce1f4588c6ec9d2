// Shard iterators and list tokens: positions a client holds for up to 300
// seconds (kinesis-contract.md §2.3). Positions, not cursors: using one again
// gives the same again.
#ifndef TRIREME_SERVER_SHARD_ITERATOR_H_
#define TRIREME_SERVER_SHARD_ITERATOR_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/shard_filter.h"
#include "server/signed_token.h"
#include "storage/ids.h"

namespace trireme {

struct ShardIterator {
  ShardKey shard;
  Counter next = 0;  // The lowest counter not yet read.
  // How many reads led here: the next iterator is never the one given, even
  // when nothing was read.
  uint32_t generation = 0;
};

std::string EncodeShardIterator(const TokenSigner& signer,
                                const ShardIterator& iterator, absl::Time now);
// Takes the token in double quotes too. InvalidArgumentException for what this
// cluster did not issue, ExpiredIteratorException when it is too old at `now`.
absl::StatusOr<ShardIterator> DecodeShardIterator(const TokenSigner& signer,
                                                  absl::string_view token,
                                                  absl::Time now);

// A token is good for the operation that gave it.
enum class ListOperation {
  kListStreams,
  kListShards,
  kListStreamConsumers,
  kDescribeConsumerGroup,
};

// Where a list goes on: after the stream or consumer of that name, or after a
// shard.
struct ListPosition {
  std::string name;    // The last stream or consumer listed; or whose leases.
  StreamId stream;     // Whose shards or consumers are listed.
  ShardIndex shard;    // Of shards and leases: the last one listed.
  ShardWindow window;  // ListShards: what the first page was to show.
};

std::string EncodeNextToken(const TokenSigner& signer, ListOperation operation,
                            const ListPosition& position, absl::Time now);
absl::StatusOr<ListPosition> DecodeNextToken(const TokenSigner& signer,
                                             ListOperation operation,
                                             absl::string_view token,
                                             absl::Time now);

}  // namespace trireme

#endif  // TRIREME_SERVER_SHARD_ITERATOR_H_
