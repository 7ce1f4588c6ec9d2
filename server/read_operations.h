// ReadOperations finds positions in shards and reads records from them: after
// a read barrier on the shard's group (design.md D7), unless the node is
// configured to serve what its own replica has (`read: nearest`).
//
// Owned by the Broker; thread-safe; nothing survives a crash.
#ifndef TRIREME_SERVER_READ_OPERATIONS_H_
#define TRIREME_SERVER_READ_OPERATIONS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/admission.h"
#include "server/api.h"
#include "server/rate_limits.h"
#include "server/read_checks.h"
#include "server/router.h"
#include "server/shard_iterator.h"
#include "server/shard_reader.h"
#include "server/work_pool.h"
#include "storage/clock.h"

namespace trireme {

enum class ReadFrom { kLeader, kNearest };

// A place in a shard, found.
struct ShardPosition {
  StreamPtr stream;
  const Shard* shard = nullptr;  // Of `stream`.
  Counter next = 0;
};

class ReadOperations {
 public:
  // All pointers must outlive this.
  ReadOperations(ReadFrom read_from, Router* router, Replicas* replicas,
                 const ShardReader* reader, const TokenSigner* signer,
                 Admission* admission, const RateLimits* rates, WorkPool* pool,
                 Clock* clock)
      : read_from_(read_from),
        router_(router),
        replicas_(replicas),
        reader_(reader),
        signer_(signer),
        admission_(admission),
        rates_(rates),
        pool_(pool),
        clock_(clock) {}

  void GetShardIterator(const GetShardIteratorRequest& request,
                        absl::Duration timeout,
                        Done<GetShardIteratorResponse> done);
  void GetRecords(const GetRecordsRequest& request, absl::Duration timeout,
                  Done<GetRecordsResponse> done);

  // Where a request wants to begin. `names`, for errors, are constants.
  void FindPosition(const GetShardIteratorRequest& request,
                    const PositionNames& names, absl::Duration timeout,
                    Done<ShardPosition> done);

 private:
  struct PositionCall;
  struct ReadCall;

  void FindPositionIn(std::shared_ptr<PositionCall> call, StreamPtr stream);
  void Locate(std::shared_ptr<PositionCall> call);
  void BeginRead(std::shared_ptr<ReadCall> call);
  void AwaitFresh(std::shared_ptr<ReadCall> call);
  void ScheduleRead(std::shared_ptr<ReadCall> call);
  absl::StatusOr<GetRecordsResponse> Read(const ReadCall& call);
  absl::StatusOr<ShardRead> ReadShard(const ReadCall& call,
                                      const RunLimits& limits);

  // Set at construction.
  const ReadFrom read_from_;
  Router* const router_;
  Replicas* const replicas_;
  const ShardReader* const reader_;
  const TokenSigner* const signer_;
  Admission* const admission_;
  const RateLimits* const rates_;
  WorkPool* const pool_;
  Clock* const clock_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_READ_OPERATIONS_H_
