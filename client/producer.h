// Writes many records fast: gathers them into requests on a few
// PutRecordsStream calls ("lanes") and tells the outcome of each record once.
//
// Lanes. Each replication group that has shards of the stream gets lanes of its
// own, whose calls go to the group's leader, and move with it once everything
// sent to the old one is answered. Which group a record belongs to is learned
// when none is under way (client/topology.h); when it is due, Put waits for
// that moment, and all others who call it too: a second at most, or after a
// reshard until what is under way is answered. As long as
// nobody tells, one set of lanes goes to any node.
//
// Order. All records of a partition key take the same lane, and a lane sends
// in the order of Put. So the records of a key are stored in that order as
// long as none fails. When one fails and is repeated, records of the key that
// were under way behind it may come before it; the lane limits this to what was
// already sent or being encoded: it sends nothing new until all that was sent
// is answered, then sends the failed ones first, in order. With
// requests_in_flight_max = 1 nothing is under way behind a failed request and
// only records of that very request can overtake. With aggregation a reshard
// counts as a failure: members of an aggregate that do not belong to the shard
// it was written to are put again.
//
// Duplicates. When a call breaks, or the server answers InternalFailure,
// nobody knows if the record was written: see Delivery.
//
// Bounded by unanswered_bytes_max and unanswered_records_max, and by
// NumberWindow::kSize records of the stream from the oldest unanswered one on:
// Put waits, TryPut refuses. Put and Flush from any thread. Callbacks run on
// the lanes' threads and must not call Put, Flush or Close.
//
// Aggregation, compression and all the rest: docs/producers.md.
#ifndef TRIREME_CLIENT_PRODUCER_H_
#define TRIREME_CLIENT_PRODUCER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cancellation.h"
#include "client/client.h"
#include "client/producer_metrics.h"
#include "client/producer_options.h"
#include "client/producer_record.h"
#include "client/producer_shared.h"
#include "client/shard_map.h"

namespace trireme::client {

class ProducerLane;
struct UserPut;

class Producer {
 public:
  // Connects nowhere until the first Put. `client` must outlive it.
  Producer(Client& client, ProducerOptions options);
  // Gives up what is not answered: callbacks get CANCELLED, or
  // DEADLINE_EXCEEDED/OutcomeUnknown for what was sent. Call Close first to
  // deliver everything.
  ~Producer();

  // Waits while the producer is full. `done` is called exactly once if this
  // returns OK, and not at all otherwise. Errors: InvalidArgument (a key that
  // is not UTF-8, has more than 256 characters, or none unless keys_optional;
  // an explicit hash key that is none; a record over 10 MiB; options that are
  // out of their ranges or exclude each other), Cancelled after Close or
  // Client::Cancel.
  absl::Status Put(ProducerRecord record, PutCallback done);
  std::future<absl::StatusOr<PutOutcome>> Put(ProducerRecord record);

  // The same without waiting for room: ResourceExhausted (ProducerFull). Record
  // and callback are moved from only if this returns OK. About once a minute it
  // asks for the stream's shards, which may take up to 3 seconds.
  absl::Status TryPut(ProducerRecord&& record, PutCallback&& done);
  // Until TryPut is likely to find room. Errors: DeadlineExceeded
  // (ProducerFull), Cancelled.
  absl::Status WaitForRoom(absl::Time deadline);

  // Since the producer was made.
  ProducerMetrics metrics() const;

  // Waits until every record put before has its outcome and its callback has
  // returned, whatever is put meanwhile.
  void Flush();

  // Refuses what is put from now on, delivers the rest, then ends the calls.
  void Close();

 private:
  // Lanes by group; none: of records whose group is not known.
  using Lanes = std::vector<std::unique_ptr<ProducerLane>>;
  using Group = std::optional<uint32_t>;
  enum class Wait { kYes, kNo };

  void Watch();
  void Abort();
  absl::Status Check(const ProducerRecord& record) const;
  // Its bytes are acquired.
  absl::Status Enqueue(ProducerRecord& record, PutCallback& done,
                       ByteBudget::Half half, Wait wait);
  uint64_t TakeNumber(Wait wait);
  // Shards can be learned when no record is under way, before one comes in:
  // when they are to be, all callers of Put wait for that.
  bool LearningIsDue(absl::Time now) const;
  // Learns them, or waits for another caller who does, until `deadline`. False:
  // records are under way.
  bool LearnShards(absl::Time deadline);
  // Until when to wait for that; in the past: not now.
  absl::Time QuietUntil(absl::Time now);
  void AwaitQuiet(absl::Time deadline);
  // `shard`: null when it is not known.
  ProducerLane& LaneFor(const ProducerRecord& record,
                        const ShardMap::Shard* shard);
  std::shared_ptr<const ShardMap> Shards();
  std::vector<ProducerLane*> AllLanes();
  void SealAll();
  // What idle lanes hold, when somebody waits.
  void SealAwaited();
  size_t LaneCount() const {  // Of a group.
    return static_cast<size_t>(shared_.options.lanes);
  }
  bool NotLearning() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return !learning_;
  }

  // Set at construction.
  const absl::Status options_status_;  // What is wrong with them.
  Client& client_;

  ProducerShared shared_;
  Cancellation stop_watch_;                  // Has a lock of its own.
  std::atomic<uint64_t> times_learned_ = 0;  // Changed under mu_.

  mutable absl::Mutex mu_;
  absl::flat_hash_map<Group, Lanes> lanes_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const ShardMap> shards_ ABSL_GUARDED_BY(mu_);
  bool learning_ ABSL_GUARDED_BY(mu_) = false;
  // What the lanes say in shared_.shards_changed was taken note of.
  bool change_seen_ ABSL_GUARDED_BY(mu_) = false;
  // When callers of Put may wait again, and until when they do now.
  absl::Time quiet_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  absl::Time quiet_until_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();

  // Owned by the caller of Close.
  bool closed_ = false;

  // Breaks calls that no longer answer, asks who leads.
  std::thread watch_;
  std::optional<Cancellation::Hook> on_cancel_;  // Uses the lanes.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_PRODUCER_H_
