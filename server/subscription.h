// Subscription is one SubscribeToShard call: it follows a shard's committed
// records on this node's replica and hands them to its sink, one event at a
// time. The next event is taken only when the previous one was written, so a
// slow subscriber holds at most one event and gets everything new in the next.
//
// Shared by the sink's owner and by whoever may wake it. Any thread may call
// the public methods; the steps themselves run one after the other, on the
// thread that woke it. Nothing survives a crash: the client subscribes again
// after its last continuation sequence number.
#ifndef TRIREME_SERVER_SUBSCRIPTION_H_
#define TRIREME_SERVER_SUBSCRIPTION_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/rate_limits.h"
#include "server/read_operations.h"
#include "server/shard_reader.h"
#include "server/shard_tail.h"
#include "server/timers.h"
#include "server/work_pool.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/token_bucket.h"

namespace trireme {

// Where events go: a gRPC stream, an HTTP/2 event stream. Must outlive the
// subscription's call of Finish; no method blocks.
class SubscriptionSink {
 public:
  virtual ~SubscriptionSink() = default;
  // Answered by Subscription::OnWritten before there is another one.
  virtual void Write(SubscriptionEvent event) = 0;
  // The last call the sink gets. No write is in progress.
  virtual void Finish(absl::Status status) = 0;
  // The subscriber did not take an event for too long: give its call up, so
  // that the write in progress fails.
  virtual void Abandon() = 0;
};

// What subscriptions of a node share. All pointers outlive them.
struct SubscriptionContext {
  const Catalog* catalog = nullptr;
  const ShardReader* reader = nullptr;
  ShardTails* tails = nullptr;
  WorkPool* read_pool = nullptr;
  Timers* timers = nullptr;
  Clock* clock = nullptr;
  // Null: whether the shard's group has a leader does not matter.
  const Replicas* replicas = nullptr;
  // Null: events are pushed as fast as they are taken.
  const RateLimits* rates = nullptr;
};

class Subscription : public TailWaiter,
                     public std::enable_shared_from_this<Subscription> {
 public:
  Subscription(const SubscriptionContext& context, SubscriptionSink* sink)
      : context_(context), sink_(sink) {}

  // Starts at a position, or ends with why there is none.
  void Begin(absl::StatusOr<ShardPosition> position);
  // The event given to the sink has left, or never will.
  void OnWritten(bool ok);
  // Ends the call with `status` as soon as no write is in progress, and
  // forgets everything it holds.
  void Stop(absl::Status status);

  // TailWaiter
  void OnTail() override;

 private:
  // What happened since the last step.
  struct Happened {
    std::optional<absl::StatusOr<ShardPosition>> begun;
    std::optional<absl::StatusOr<ShardRead>> log_read;
    std::optional<bool> written;
    std::optional<absl::Status> stopped;
    bool tail = false;
    bool heartbeat = false;  // The heartbeat timer fired.
    bool retry = false;      // The timer of StepAgainAfter fired.
  };

  // Runs steps until nothing happens any more; one thread at a time.
  void Run();
  void Step(Happened happened);
  // False when there is nothing to read or send now.
  bool Absorb(Happened& happened);
  // Why the call should end, if it should.
  bool CutOff();
  void DecideEnding(Happened& happened);
  void Advance();
  // How long until the rate allows the next event.
  absl::Duration PauseOfRate() const;
  void Deliver(absl::StatusOr<ShardRead> read);
  void Send(ShardRead read, std::vector<ChildShard> children);
  void WaitForMore();
  void StartLogRead();
  // Makes another step happen: at once, or a little later.
  void StepAgain();
  void StepAgainAfter(absl::Duration delay);
  void OnTimer(bool Happened::*fired);
  void ArmHeartbeat();
  bool HeartbeatDue() const;
  // As this node knows it by now: its retention may have changed.
  StreamPtr StreamNow() const;
  std::vector<ChildShard> ChildrenHere() const;
  void End(absl::Status status);
  std::string Continuation(const ShardRead& read) const;

  // Set at construction.
  const SubscriptionContext context_;

  // Owned by the running step.
  SubscriptionSink* sink_;  // Null once finished.
  std::optional<ShardPosition> position_;
  absl::Duration ends_at_;    // Monotonic.
  std::optional<Rate> rate_;  // None: no limit.
  TokenBucket pushed_;
  bool was_leaderless_ = false;  // At the last heartbeat.
  absl::Duration last_sent_at_;
  bool sent_any_ = false;
  bool writing_ = false;
  bool reading_ = false;   // From the shard log, on the pool.
  bool waiting_ = false;   // Registered with the tails.
  bool retrying_ = false;  // The timer of StepAgainAfter is set.
  bool closing_ = false;   // The last event is on its way.
  bool abandoned_ = false;
  std::optional<absl::Status> ending_;  // Waits for the write to end.

  absl::Mutex mu_;
  Happened happened_ ABSL_GUARDED_BY(mu_);
  bool pending_ ABSL_GUARDED_BY(mu_) = false;  // happened_ holds something.
  bool running_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SUBSCRIPTION_H_
