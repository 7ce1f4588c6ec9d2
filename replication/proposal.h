// What callers ask of a replication group, and what they get back.
#ifndef TRIREME_REPLICATION_PROPOSAL_H_
#define TRIREME_REPLICATION_PROPOSAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/ids.h"
#include "storage/producer_stamp.h"
#include "storage/replicated_state.h"
#include "storage/token_bucket.h"

namespace trireme {

// Encoded records (storage/record.h) of one shard.
struct PutBatch {
  ShardKey shard;
  uint32_t record_count = 0;  // 1..kEntryPositionsMax.
  std::string batch;
  std::shared_ptr<const ProducerStamp> stamp = nullptr;  // Null: none.

  // Its first records alone, in so many bytes.
  PutBatch Front(uint32_t records, size_t bytes) const;
  // About what it takes in an entry.
  size_t bytes() const;
};

// What something takes of a bucket that the group's leader keeps
// (replication/rate_ledger.h).
struct RateCharge {
  std::string bucket;  // Its name; the first charge makes it.
  Rate rate;
  uint64_t amount = 1;          // 0: it must only not be overdrawn.
  bool after_the_fact = false;  // Has happened: it is taken in any case.
};

// What is proposed: records of shards of one group, or one command. Shared,
// because a node that does not lead the group keeps it while it is forwarded.
// Or charges: the leader answers those by itself, nothing is written.
struct ProposalBody {
  std::vector<PutBatch> puts;
  std::string command;  // A serialized trireme.v1.Command; then puts is empty.
  std::vector<RateCharge> charges;  // Then both are empty.

  size_t bytes() const {
    size_t sum = command.size();
    for (const PutBatch& put : puts) sum += put.bytes();
    return sum;
  }
};

// Where a PutBatch came to stand.
struct PutPlace {
  // kShardSealed, kResourceNotFound, kProvisionedThroughputExceeded: nothing
  // was written.
  absl::Status status;
  Counter first = 0;  // Of its first record; the others follow by one.
  // So many records at its end were not written, because their shard takes no
  // more now (replication/shard_rates.h).
  uint32_t refused = 0;
  // One a record, when they do not all stand one behind the other from `first`
  // on, because a producer had put some before or may not put them.
  std::vector<RecordFate> fates = {};
};

struct ProposalOutcome {
  // OK: committed and applied; see `places` or `reply`; of charges: taken.
  // Otherwise nothing was written (kNoLeader, kOverloaded, kDiskFull,
  // kProvisionedThroughputExceeded, a command's own error), or it is not known
  // (kOutcomeUnknown).
  absl::Status status;
  int64_t stamp_ms = 0;          // The entry's time stamp.
  std::vector<PutPlace> places;  // One a PutBatch, in order.
  std::string reply;             // Of a command.
};

// Called exactly once, on a thread of the node; must not block.
using ProposalDone = absl::AnyInvocable<void(ProposalOutcome)>;

struct Proposal {
  GroupId group;
  std::shared_ptr<const ProposalBody> body;
  absl::Duration timeout = absl::Seconds(10);
  ProposalDone done;
};

// `command` is a serialized trireme.v1.Command.
inline Proposal ProposalOfCommand(GroupId group, std::string command,
                                  absl::Duration timeout, ProposalDone done) {
  auto body = std::make_shared<ProposalBody>();
  body->command = std::move(command);
  return {group, std::move(body), timeout, std::move(done)};
}

// Called exactly once with OK when this node has applied everything that had
// been acknowledged anywhere when the barrier was asked for; kNoLeader when
// that could not be established in time.
using BarrierDone = absl::AnyInvocable<void(absl::Status)>;

struct Barrier {
  GroupId group;
  absl::Duration timeout = absl::Seconds(10);
  BarrierDone done;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_PROPOSAL_H_
