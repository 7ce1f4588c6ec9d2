// One PutRecordsStream call of a Producer, opened again whenever it breaks, and
// the records that take it. Two threads: the lane's own sends, a second one
// reads answers while a call is open. Owned by Producer; its header says what
// is promised of order and duplicates.
//
// producer_lane.cc sends, producer_lane_answers.cc decides what becomes of what
// was sent.
#ifndef TRIREME_CLIENT_PRODUCER_LANE_H_
#define TRIREME_CLIENT_PRODUCER_LANE_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/backoff.h"
#include "client/client.h"
#include "client/compression.h"
#include "client/container.h"
#include "client/open_containers.h"
#include "client/outcomes.h"
#include "client/producer_shared.h"
#include "client/shard_map.h"

namespace trireme::client {

class ProducerLane {
 public:
  // Its calls go to the leader of `group`, or to any node.
  ProducerLane(Client& client, ProducerShared& shared,
               std::optional<uint32_t> group);
  // Abort, then waits for the threads.
  ~ProducerLane();

  // Takes a record, whose bytes are acquired from the budget; the lane releases
  // them. It is aggregated with others of `shard` if that is not null. False
  // when it needs a number and there is none (0): then it is not taken. A
  // number that is used is 0 afterwards, and the lane settles it.
  bool Add(UserPut& put, const ShardMap::Shard* shard, uint64_t& number);
  // What is buffered waits no longer for others to go with.
  void Seal();
  // The same when somebody waits and the lane is idle: then who waits for room
  // is not to wait for company too.
  void SealIfAwaited();

  // Deliver what is there, then end the call and the thread. Waits.
  void Close();
  // End at once; what is not answered gets CANCELLED, or OutcomeUnknown when it
  // was sent. Does not wait.
  void Abort();

  // To be called now and then: breaks the call when its oldest request, or its
  // end, has waited too long for an answer; gives up what has expired, though
  // the lane's thread may be held up.
  void Watch(absl::Time now);

 private:
  struct Sent {
    std::vector<Container> containers;
    absl::Time sent_at;
  };
  using Call =
      grpc::ClientReaderWriter<v1::PutRecordsRequest, v1::PutRecordsResponse>;

  // The lane's thread.
  void Run();
  bool WaitForWork();
  void RunCall(const Endpoint& endpoint);
  // Sends at `endpoint` as long as that is where the lane's calls go.
  void SendUntilBroken(const Endpoint& endpoint, Call& call);
  bool AwaitTurn();
  // Seals what is due meanwhile. False when records have expired.
  bool AwaitOrExpire(bool (ProducerLane::*holds)() const)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool TakeRequest(v1::PutRecordsRequest& request);
  const Endpoint& Destination() const {
    return client_.endpoints().LeaderOf(group_);
  }
  void FillRequest(Sent& sent, v1::PutRecordsRequest& request);
  void TellSending(const Sent& sent) const;
  void GatherRequest(Sent& sent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnBroken(const absl::Status& status);
  void WaitBeforeRetry(const absl::Status& status);
  // Ends early when the lane is aborted.
  void Pause(absl::Duration pause);
  void SettleExpired(const absl::Status& status);
  void SettleAllCancelled();
  void PlaceAll();
  std::deque<Container> Place(Container container, const ShardMap& shards,
                              Outcomes& outcomes);

  // The reading thread.
  void ReadAnswers(Call& call);
  bool OnAnswer(const v1::PutRecordsResponse& answer);

  void SettleOne(Container container, const v1::PutRecordsResult& result,
                 Outcomes& outcomes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnWritten(Container container, const PutOutcome& outcome,
                 Outcomes& outcomes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnUnknown(Container container, const absl::Status& status,
                 Outcomes& outcomes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnRefused(Sent sent, const absl::Status& status, Outcomes& outcomes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Repeat(Container container) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RequeueFailed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Tell(Outcomes& outcomes);

  bool HasWorkOrEnds() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return aborted_ || closing_ || !queue_.empty();
  }
  bool MaySendOrEnds() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SealHeldUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool FrontIsToBePlaced() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !queue_.empty() && IsToBePlaced(queue_.front());
  }
  // By PlaceAll, before it is sent.
  bool IsToBePlaced(const Container& container) const {
    return container.misplaced.has_value() ||
           (shared_.is_numbered() && container.number == 0);
  }
  absl::Time NextWake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  Client& client_;
  ProducerShared& shared_;
  const ProducerOptions& options_;
  const std::optional<uint32_t> group_;

  // Owned by the lane's thread.
  Backoff backoff_;
  std::optional<Compressor> compressor_;

  absl::Mutex mu_;
  OpenContainers open_ ABSL_GUARDED_BY(mu_);
  std::deque<Container> queue_ ABSL_GUARDED_BY(mu_);
  std::deque<Sent> sent_ ABSL_GUARDED_BY(mu_);  // In the order of sending.
  // Failed or misplaced and to be repeated, oldest first. While there are any,
  // nothing new is sent.
  std::vector<Container> failed_ ABSL_GUARDED_BY(mu_);
  // Nothing in open_, queue_ or failed_ expires before it.
  absl::Time expire_at_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  absl::Time wakes_at_ ABSL_GUARDED_BY(mu_);  // The lane's thread, if it waits.
  bool clean_answer_ ABSL_GUARDED_BY(mu_) = false;  // Since the last pause.
  // Of the call that is open:
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  absl::Time half_closed_at_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  bool aborted_ ABSL_GUARDED_BY(mu_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mu_) = nullptr;

  std::thread thread_;  // Last: runs on all of the above.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_PRODUCER_LANE_H_
