// StreamOperations is the control plane: creating, deleting, describing and
// listing streams and shards. Every read of the catalogue comes after a read
// barrier on the meta group, so that a client sees what it just did, whichever
// node it asks.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_STREAM_OPERATIONS_H_
#define TRIREME_SERVER_STREAM_OPERATIONS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/router.h"
#include "server/shard_iterator.h"
#include "storage/clock.h"

namespace trireme {

class StreamOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive this.
  StreamOperations(uint32_t group_count, Router* router, Replicas* replicas,
                   const TokenSigner* signer, Clock* clock)
      : group_count_(group_count),
        router_(router),
        replicas_(replicas),
        signer_(signer),
        clock_(clock) {}

  void CreateStream(const CreateStreamRequest& request, absl::Duration timeout,
                    StatusDone done);
  void DeleteStream(const DeleteStreamRequest& request, absl::Duration timeout,
                    StatusDone done);
  void DescribeStream(const DescribeStreamRequest& request,
                      absl::Duration timeout,
                      Done<DescribeStreamResponse> done);
  void DescribeStreamSummary(const StreamAddress& stream,
                             absl::Duration timeout, Done<StreamPtr> done);
  void ListStreams(const ListStreamsRequest& request, absl::Duration timeout,
                   Done<ListStreamsResponse> done);
  void ListShards(const ListShardsRequest& request, absl::Duration timeout,
                  Done<ListShardsResponse> done);

 private:
  absl::Status CheckRoomFor(const std::string& name, uint32_t shard_count);
  void DeleteNamed(const std::string& name, StreamId id,
                   bool enforce_consumer_deletion, absl::Duration timeout,
                   StatusDone done);
  absl::Status InOurWords(absl::Status refused, absl::string_view name) const;
  void ProposeToMeta(std::string command, absl::Duration timeout,
                     StatusDone done);
  absl::StatusOr<ListStreamsResponse> ListFrom(absl::string_view after,
                                               size_t limit);
  // The first page of a list.
  void ListFirstShards(const ListShardsRequest& request, size_t page,
                       absl::Duration timeout, Done<ListShardsResponse> done);
  absl::StatusOr<ListShardsResponse> ListShardsOf(StreamPtr stream,
                                                  uint32_t first,
                                                  const ShardWindow& window,
                                                  size_t limit);

  // Set at construction.
  const uint32_t group_count_;
  Router* const router_;
  Replicas* const replicas_;
  const TokenSigner* const signer_;
  Clock* const clock_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_STREAM_OPERATIONS_H_
