// Consumes a stream as one worker of a consumer group: joins it, keeps the
// leases of the shards that the cluster gives it alive, reads each of them in
// order on a thread of its own, and hands the records to a RecordProcessor
// (client/record_processor.h). docs/consumer-groups.md tells the whole story.
//
// At least once: a record is given again, to this worker or another, unless a
// checkpoint behind it was accepted. Parents are read to their ends before
// their children are begun. A worker that is not heard for the lease duration
// loses its leases; it stops giving records to its processors by itself when
// its heartbeats are not answered for so long.
//
// Stop, Wait and metrics from any thread, but not from a processor or on_error;
// from there RequestStop.
//
// Each shard has a thread of its own, and with ReadMode::kPush a second one.
#ifndef TRIREME_CLIENT_CONSUMER_H_
#define TRIREME_CLIENT_CONSUMER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cancellation.h"
#include "client/client.h"
#include "client/record_processor.h"
#include "client/shard_consumer.h"

namespace trireme::client {

struct ConsumerOptions {
  std::string stream_name;
  std::string group_name;
  // 1..256 bytes, one process's at a time: a second worker of the same id takes
  // the first one's leases over at once. Empty: a random one.
  std::string worker_id;

  // Of a group that this worker is the first of; else the group's own count.
  absl::Duration lease_duration = absl::Seconds(10);    // 1 s..1 h
  absl::Duration hand_off_timeout = absl::Seconds(30);  // 0..1 h
  v1::StartingPosition from = FromTrimHorizon();

  // How records come and are given.
  ReadingOptions reading;

  // Optional: what went wrong and is tried again, and what ends the consumer.
  // `shard_id` is empty when it is about the worker. On any of the consumer's
  // threads.
  std::function<void(absl::string_view shard_id, const absl::Status& status)>
      on_error;
};

struct ConsumerMetrics {
  std::string worker_id;
  uint64_t leases_gained = 0;
  uint64_t leases_lost = 0;  // Without having been handed off.
  // Of all shards: user records that Process returned OK for.
  uint64_t records = 0;
  uint64_t bytes = 0;  // Of their data and keys.
  uint64_t process_errors = 0;
  std::vector<ShardProgress> shards;  // Of the leases held now; by shard.
};

class Consumer {
 public:
  // Starts at once. `client` must outlive it.
  Consumer(Client& client, ConsumerOptions options,
           RecordProcessorFactory factory);
  // Stop.
  ~Consumer();

  // Lets the processors finish (OnHandOff), checkpoints, gives the leases up
  // and leaves the group. Waits for that.
  void Stop();
  // Asks for it and returns at once.
  void RequestStop() { stop_.Cancel(); }
  // Waits for the end: OK after a stop, else the error that repeating does not
  // cure: ResourceNotFoundException when the stream or the group is deleted,
  // WorkerReplacedException when another one has this one's id,
  // InvalidArgumentException or ValidationException for an option outside its
  // range, LimitExceededException when the stream has its limit of groups, or
  // the group of workers.
  absl::Status Wait();

  ConsumerMetrics metrics() const;

 private:
  using ShardPtr = std::shared_ptr<ShardConsumer>;

  // The heartbeats' thread.
  void Run();
  absl::StatusOr<v1::JoinConsumerGroupResponse> Join();
  absl::Status Validate() const;
  absl::Status Serve(const v1::JoinConsumerGroupResponse& joined);
  v1::HeartbeatRequest MakeHeartbeat(const v1::WorkerHandle& worker);
  void Apply(const v1::JoinConsumerGroupResponse& joined,
             const v1::HeartbeatResponse& response, absl::Duration sent);
  void LoseAll();
  bool EndAll();
  void Drop(const ShardPtr& shard);
  void Hurry();
  void PauseUntilDue(absl::Duration interval);
  void Report(absl::string_view shard_id, const absl::Status& status) const;

  // The checkpoints' thread.
  void KeepCheckpoints();
  void CheckpointAll();

  std::vector<ShardPtr> Shards() const;
  bool IsOver() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return over_; }

  // Set at construction.
  Client& client_;
  const ConsumerOptions options_;
  const RecordProcessorFactory factory_;
  const std::shared_ptr<const ShardContext> context_;

  mutable absl::Mutex mu_;
  std::map<std::string, ShardPtr> shards_ ABSL_GUARDED_BY(mu_);  // By id.
  ConsumerMetrics past_
      ABSL_GUARDED_BY(mu_);  // With what ended shards counted.
  // Heartbeats are frequent until then: something is about to change.
  absl::Duration hurry_until_ ABSL_GUARDED_BY(mu_);  // By LeaseNow.
  bool hurries_ ABSL_GUARDED_BY(mu_) = false;  // Since the last heartbeat.
  bool over_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status result_ ABSL_GUARDED_BY(mu_);

  bool has_joined_ = false;  // The heartbeats' thread's.

  Cancellation stop_;  // Has a lock of its own.
  std::optional<Cancellation::Hook> on_stop_;
  std::optional<Cancellation::Hook> on_cancel_;
  std::thread checkpoints_;
  std::thread heartbeats_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_CONSUMER_H_
