// Writes many records fast: gathers them into requests on a few
// PutRecordsStream calls ("lanes") and tells the outcome of each record once.
//
// Lanes. Each replication group that has shards of the stream gets lanes of its
// own, whose calls go to the group's leader, and move with it once everything
// sent to the old one is answered. Which group a record belongs to is learned
// when none is under way (client/topology.h); when it is due, Put waits for
// that moment, a second at most. As long as nobody tells, one set of lanes goes
// to any node.
//
// Order. All records of a partition key take the same lane, and a lane sends
// in the order of Put. So the records of a key are stored in that order as
// long as none fails. When one fails and is repeated, records of the key that
// were under way behind it may come before it; the lane limits this to what was
// already sent: it sends nothing new until all that was sent is answered, then
// sends the failed ones first, in order. With requests_in_flight_max = 1
// nothing is under way behind a failed request and only records of that very
// request can overtake.
//
// Duplicates. When a call breaks, or the server answers InternalFailure,
// nobody knows if the record was written: see Delivery.
//
// Bounded by unanswered_bytes_max, and by NumberWindow::kSize records from the
// oldest unanswered one on: Put waits. Put and Flush from any thread.
// Callbacks run on the lanes' threads and must not call Put, Flush or Close.
#ifndef TRIREME_CLIENT_PRODUCER_H_
#define TRIREME_CLIENT_PRODUCER_H_

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/byte_budget.h"
#include "client/cancellation.h"
#include "client/client.h"
#include "client/number_window.h"
#include "client/producer_record.h"

namespace trireme::client {

class ProducerLane;

// What happens to a record of which nobody knows if it was written.
enum class Delivery {
  // It is sent again, and the cluster writes it once (records.proto, Producer).
  // Not to streams whose record distribution strategy is AUTO.
  kExactlyOnce,
  // It is sent again; it may be there twice, the copies in order.
  kAtLeastOnce,
  // Its callback gets DEADLINE_EXCEEDED/OutcomeUnknown.
  kAtMostOnce,
};

// Who puts exactly once, over several runs.
struct ProducerIdentity {
  std::string id;      // 1..128 of [a-zA-Z0-9_.:-]; one run at a time has it.
  uint64_t epoch = 0;  // Higher with each run: fences what is left of earlier.
  // 1 or more. Records are numbered from it in the order of Put, and a number
  // means the same record in all runs: one that an earlier run has put is not
  // put again. Such as the position in a file to read on from.
  uint64_t first_number = 0;
};

struct ProducerOptions {
  std::string stream_name;
  int lanes = 1;  // Of each replication group.
  // Queued and sent together, keys included.
  uint64_t unanswered_bytes_max = 32 << 20;
  // Of one request. The service allows 500 records and 10 MiB.
  int request_records_max = 500;
  uint64_t request_bytes_max = 1 << 20;
  // On one lane.
  int requests_in_flight_max = 8;
  // From Put until a record that cannot be delivered is given up.
  absl::Duration delivery_timeout = absl::Minutes(2);
  // A request without an answer for so long breaks its lane's call.
  absl::Duration answer_timeout = absl::Seconds(30);
  Delivery delivery = Delivery::kExactlyOnce;
  // Of a producer that puts exactly once and goes on after a crash. Without one
  // it has an id of this run's alone.
  std::optional<ProducerIdentity> identity = std::nullopt;
  // Of a stream whose record distribution strategy is AUTO. To any other a
  // record without a key fails its whole request.
  bool keys_optional = false;
  // Called with a record's tag on the lane's thread just before the request
  // that holds it is handed to gRPC; again when it is repeated.
  std::function<void(uint64_t tag)> on_send;
};

class Producer {
 public:
  // Connects nowhere until the first Put. `client` must outlive it.
  Producer(Client& client, ProducerOptions options);
  // Gives up what is not answered: callbacks get CANCELLED, or
  // DEADLINE_EXCEEDED/OutcomeUnknown for what was sent. Call Close first to
  // deliver everything.
  ~Producer();

  // Waits while the budget is full. `done` is called exactly once if this
  // returns OK, and not at all otherwise. Errors: InvalidArgument (key that is
  // not UTF-8, or of 0 or more than 256 characters, record over 10 MiB),
  // Cancelled after Close or Client::Cancel.
  absl::Status Put(ProducerRecord record, PutCallback done);
  std::future<absl::StatusOr<PutOutcome>> Put(ProducerRecord record);

  // Waits until every record put before has its outcome and its callback has
  // returned.
  void Flush();

  // Flush, then ends the calls. No Put after it.
  void Close();

 private:
  // Lanes by group; none: of records whose group is not known.
  using Lanes = std::vector<std::unique_ptr<ProducerLane>>;
  using Group = std::optional<uint32_t>;

  void Watch();
  void Abort();
  // Shards can be learned when no record is under way: when they are to be,
  // all callers of Put wait for that.
  void AwaitQuietIfDue();
  ProducerLane& LaneFor(const ProducerRecord& record);
  Group GroupOf(const ProducerRecord& record);
  std::shared_ptr<const ShardMap> Shards();
  std::vector<ProducerLane*> AllLanes();
  bool NotLearning() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !learning_;
  }

  // Set at construction.
  const ProducerOptions options_;
  Client& client_;

  // Each has a lock of its own.
  ByteBudget budget_;
  NumberWindow numbers_;
  Cancellation stop_watch_;

  absl::Mutex mu_;
  absl::flat_hash_map<Group, Lanes> lanes_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const ShardMap> shards_ ABSL_GUARDED_BY(mu_);
  bool learning_ ABSL_GUARDED_BY(mu_) = false;
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
