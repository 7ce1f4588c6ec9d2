// PutOperations writes records: checks them, encodes them once into a batch a
// shard, proposes each replication group's batches together, and makes the
// sequence numbers from where they came to stand (docs/write-path.md).
//
// Owned by the Broker; thread-safe. A put lives in a PutCall held by the
// callbacks it waits for; nothing survives a crash.
#ifndef TRIREME_SERVER_PUT_OPERATIONS_H_
#define TRIREME_SERVER_PUT_OPERATIONS_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/admission.h"
#include "server/api.h"
#include "server/router.h"
#include "server/timers.h"
#include "storage/clock.h"
#include "storage/state_machine.h"

namespace trireme {

class PutOperations {
 public:
  // All pointers must outlive this.
  PutOperations(Router* router, Replicas* replicas, const StateMachine* state,
                Admission* admission, Timers* timers, Clock* clock)
      : router_(router),
        replicas_(replicas),
        state_(state),
        admission_(admission),
        timers_(timers),
        clock_(clock) {}

  void PutRecord(const PutRecordRequest& request, absl::Duration timeout,
                 Done<PutResult> done);
  // True when the records were proposed (or refused) before this returned:
  // what is put next to the same shards is written after them.
  bool PutRecords(const PutRecordsRequest& request, absl::Duration timeout,
                  Done<PutRecordsResponse> done);

 private:
  struct Call;
  using CallPtr = std::shared_ptr<Call>;

  void CheckOrdering(CallPtr call);
  bool Begin(CallPtr call);
  bool BeginWith(CallPtr call, absl::StatusOr<StreamPtr> stream);
  bool BeginChecked(CallPtr call, StreamPtr stream);
  bool ProposeInTurn(CallPtr call);
  void Propose(CallPtr call);
  void OnOutcome(const CallPtr& call, size_t plan, ProposalOutcome outcome);
  absl::Status RateRefusal(const Call& call, const Shard& shard,
                           const absl::Status& why) const;
  void OnAllOutcomes(CallPtr call);
  void Reroute(CallPtr call);
  void RerouteNow(CallPtr call);
  absl::Duration TimeLeft(const Call& call) const;

  // Of the next put to an AUTO stream; which shard it begins with.
  std::atomic<uint32_t> auto_turn_{0};

  // Set at construction.
  Router* const router_;
  Replicas* const replicas_;
  const StateMachine* const state_;
  Admission* const admission_;
  Timers* const timers_;
  Clock* const clock_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_PUT_OPERATIONS_H_
