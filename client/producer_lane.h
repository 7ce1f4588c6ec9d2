// One PutRecordsStream call of a Producer, opened again whenever it breaks, and
// the records that take it. Two threads: the lane's own sends, a second one
// reads answers while a call is open. Owned by Producer; its header says what
// is promised of order and duplicates.
#ifndef TRIREME_CLIENT_PRODUCER_LANE_H_
#define TRIREME_CLIENT_PRODUCER_LANE_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/backoff.h"
#include "client/byte_budget.h"
#include "client/client.h"
#include "client/number_window.h"
#include "client/producer.h"

namespace trireme::client {

class ProducerLane {
 public:
  // Its calls go to the leader of `group`, or to any node.
  ProducerLane(Client& client, const ProducerOptions& options,
               ByteBudget& budget, NumberWindow& numbers,
               std::optional<uint32_t> group);
  // Abort, then waits for the threads.
  ~ProducerLane();

  // The record's bytes are acquired from the budget, its number (0: none) is
  // taken from the window; the lane releases and settles them.
  void Add(ProducerRecord record, uint64_t number, PutCallback done);

  // Deliver what is there, then end the call and the thread. Waits.
  void Close();
  // End at once; what is not answered gets CANCELLED, or OutcomeUnknown when it
  // was sent. Does not wait.
  void Abort();

  // Breaks the call when its oldest request has waited too long.
  void BreakIfSilent(absl::Time now);

 private:
  struct Pending {
    ProducerRecord record;
    uint64_t number = 0;
    PutCallback done;
    absl::Time expires;
    absl::Status last_error;
    bool alone = false;  // Shared a request that was refused as a whole.
    // An attempt had an unknown outcome: no later one can say that the record
    // was not written.
    bool may_be_written = false;

    // What is told when it ends with `why`.
    const absl::Status& Error(const absl::Status& why) const {
      return may_be_written ? last_error : why;
    }
    void KeepError(const absl::Status& why) {
      if (!may_be_written) last_error = why;
    }
    uint64_t bytes() const {
      return record.partition_key.size() + record.data.size();
    }
  };
  struct Sent {
    std::vector<Pending> records;
    absl::Time sent_at;
  };
  using Call =
      grpc::ClientReaderWriter<v1::PutRecordsRequest, v1::PutRecordsResponse>;
  // Records that have their outcome; told outside the lock.
  using Settled = std::vector<std::pair<Pending, absl::StatusOr<PutOutcome>>>;

  // The lane's thread.
  void Run();
  bool WaitForWork();
  void RunCall(const Endpoint& endpoint);
  // Sends at `endpoint` as long as that is where the lane's calls go.
  void SendUntilBroken(const Endpoint& endpoint, Call& call);
  bool AwaitTurn();
  bool TakeRequest(v1::PutRecordsRequest& request, std::vector<uint64_t>& tags);
  const Endpoint& Destination() const {
    return client_.endpoints().LeaderOf(group_);
  }
  void AddProducer(v1::PutRecordsRequest& request) const;
  void GatherRequest(Sent& sent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnBroken(const absl::Status& status);
  void WaitBeforeRetry(const absl::Status& status);
  void SettleExpired(const absl::Status& status);
  void SettleAllCancelled();

  // The reading thread.
  void ReadAnswers(Call& call);
  bool OnAnswer(const v1::PutRecordsResponse& answer);

  void SettleOne(Pending pending, const v1::PutRecordsResult& result,
                 Settled& settled) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnUnknown(Pending pending, const absl::Status& status, Settled& settled)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnRefused(Sent sent, const absl::Status& status, Settled& settled)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RequeueFailed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Tell(Settled settled);

  bool HasWorkOrEnds() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return aborted_ || closing_ || !queue_.empty();
  }
  bool MaySendOrEnds() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  Client& client_;
  const ProducerOptions& options_;
  ByteBudget& budget_;
  NumberWindow& numbers_;
  const std::optional<uint32_t> group_;

  // Owned by the lane's thread.
  Backoff backoff_;

  absl::Mutex mu_;
  std::deque<Pending> queue_ ABSL_GUARDED_BY(mu_);
  std::deque<Sent> sent_ ABSL_GUARDED_BY(mu_);  // In the order of sending.
  // Failed and to be repeated, oldest first. While there are any, nothing new
  // is sent.
  std::vector<Pending> failed_ ABSL_GUARDED_BY(mu_);
  bool clean_answer_ ABSL_GUARDED_BY(mu_) = false;  // Since the last pause.
  bool broken_ ABSL_GUARDED_BY(mu_) = false;        // The call that is open.
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  bool aborted_ ABSL_GUARDED_BY(mu_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mu_) = nullptr;

  std::thread thread_;  // Last: runs on all of the above.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_PRODUCER_LANE_H_
