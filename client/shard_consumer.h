// One lease of a Consumer: reads the shard on a thread of its own, gives the
// records to a processor, and checkpoints. Owned by Consumer, which tells it
// how long the lease is held and when to give it up.
#ifndef TRIREME_CLIENT_SHARD_CONSUMER_H_
#define TRIREME_CLIENT_SHARD_CONSUMER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/backoff.h"
#include "client/client.h"
#include "client/hash_key.h"
#include "client/record_processor.h"
#include "client/record_source.h"

namespace trireme::client {

enum class ReadMode {
  kPush,  // SubscribeToShard: a record comes when it is committed.
  kPoll,  // GetRecords.
};
enum class CheckpointMode {
  // What Process returned OK for is checkpointed every checkpoint_interval, for
  // all shards together, and at the end. Not of processors that do it
  // themselves, such as those of batches.
  kAutomatic,
  kExplicit,  // By the processors alone; the end of a shard is all the same.
};

struct ReadingOptions {
  ReadMode mode = ReadMode::kPush;
  // When nothing is there. More than 0, as the other interval.
  absl::Duration poll_interval = absl::Seconds(1);
  // What Process is given at most, 1..10,000; one aggregated record may exceed
  // it.
  int records_max = 10'000;
  // What is held of a shard that is read faster than processed; as much again
  // is being processed.
  size_t buffer_bytes_max = 4u << 20;
  CheckpointMode checkpoint = CheckpointMode::kAutomatic;
  absl::Duration checkpoint_interval = absl::Seconds(1);
  // Aggregated and compressed records are given as their producer put them.
  bool unpack = true;
};

struct ShardProgress {
  std::string shard_id;
  uint64_t records = 0;         // User records that Process returned OK for,
  uint64_t bytes = 0;           // and their keys and data.
  uint64_t process_errors = 0;  // Calls of Process, or OnShardEnd, that failed.
  // Of the last page: MillisBehindLatest; or, if that is more, how old the
  // first record of those in hand is.
  absl::Duration behind_latest = absl::InfiniteDuration();
  std::optional<RecordPosition> processed;  // The last record that is.
};

// What all shards of a worker have in common; outlives them.
struct ShardContext {
  Client& client;
  const ReadingOptions& reading;
  const RecordProcessorFactory& factory;
  std::string stream_name;
  std::string group_name;
  std::string worker_id;
  // The lease is about to become somebody else's, or its children's: a
  // heartbeat is due.
  std::function<void()> on_change;
  std::function<void(absl::string_view shard_id, const absl::Status&)> on_error;
};

class ShardConsumer : private Checkpointer {
 public:
  // Begins at once. `lease` has its details.
  ShardConsumer(std::shared_ptr<const ShardContext> context,
                v1::WorkerHandle worker, const v1::WorkerLease& lease,
                absl::Duration held_until);  // By LeaseNow, as all times.
  // Loses the lease, and waits for the thread.
  ~ShardConsumer() override;

  const std::string& shard_id() const { return lease_.shard_id; }
  uint64_t lease_counter() const { return counter_; }
  const v1::WorkerHandle& worker() const { return worker_; }

  // --- Consumer's side; any thread ---
  void Renew(absl::Duration held_until);
  // To be finished by then and released.
  void HandOff(absl::Duration by);
  // To be finished; the consumer leaves its group then.
  void End();
  // It is another's. True once, if it is lost before it has ended.
  bool Lose();
  bool ended() const;  // Its thread does nothing more.

  // What is to be checkpointed, unless that is done; of CheckpointMode
  // kAutomatic.
  std::optional<RecordPosition> ToCheckpoint() const;
  v1::ShardCheckpoint CheckpointAt(const RecordPosition& position) const;
  void OnCheckpoint(const RecordPosition& position,
                    const v1::LeaseResult& result);

  ShardProgress progress() const;
  // Gives up a lease that this has ended with, and the cluster does not know.
  void Release();

  // --- Consumer's side; one thread ---
  // Bytes a second since it was asked last, evened out; nothing when that is
  // about what was said last.
  std::optional<uint64_t> TakeLoad(absl::Duration now);
  // What was taken did not arrive.
  void ForgetToldLoad() { load_told_ = 0; }
  // Waits for its thread.
  void AwaitEnd() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  enum class Mode { kRunning, kHandOff, kEnding, kLost };

  // Checkpointer, for the processor.
  absl::Status Checkpoint(const RecordPosition& position) override;
  absl::Status Checkpoint() override;
  absl::Status Prepare(const RecordPosition& position,
                       absl::string_view state) override;
  bool holds_lease() const override;
  bool is_ending() const override;

  void Run();
  void Finish();
  void StopProcessing() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // As long as it runs and the lease is held.
  void Consume();
  bool OpenSource();
  absl::StatusOr<v1::StartingPosition> FindStart();
  void Take(RecordPage page);
  bool IsDone(const UserRecord& record) const;
  bool Process(const RecordBatch& batch);
  void OnProcessed(const RecordBatch& batch);
  bool AwaitHeld();
  bool was_lost() const;
  bool Pause(absl::Duration pause);
  bool EndShard();
  // Of this lease, at no position yet.
  v1::ShardCheckpoint MakeCheckpoint() const;
  absl::Status Send(v1::ShardCheckpoint checkpoint);
  void NoteCheckpoint(const RecordPosition& position)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CheckMayCheckpoint(const RecordPosition& position) const;
  std::unique_ptr<RecordSource> MakeSource(const v1::StartingPosition& from);
  void SetSource(std::unique_ptr<RecordSource> source);
  bool Held() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool NotRunning() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return mode_ != Mode::kRunning;
  }

  // Set at construction.
  const std::shared_ptr<const ShardContext> context_;
  const v1::WorkerHandle worker_;
  const uint64_t counter_;
  const v1::ShardPosition start_;
  const std::optional<HashKeyRange> range_;
  ShardLease lease_;

  // Owned by the thread.
  Backoff backoff_{absl::Milliseconds(100), absl::Seconds(10)};
  std::optional<RecordPosition> skip_to_;  // Itself too.
  std::optional<std::string> tip_;         // Where a LATEST lease begins.
  bool end_processed_ = false;             // OnShardEnd said OK.
  bool at_end_ = false;                    // And checkpointed so.

  mutable absl::Mutex mu_;
  Mode mode_ ABSL_GUARDED_BY(mu_) = Mode::kRunning;
  absl::Duration held_until_ ABSL_GUARDED_BY(mu_);
  absl::Duration hand_off_by_ ABSL_GUARDED_BY(mu_) = absl::InfiniteDuration();
  bool checkpoints_itself_ ABSL_GUARDED_BY(mu_) = true;  // The processor.
  std::unique_ptr<RecordSource> source_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  bool loss_told_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<RecordPosition> given_ ABSL_GUARDED_BY(mu_);
  // Of that, what Checkpoint without a position is about: no refused batch.
  std::optional<RecordPosition> accepted_ ABSL_GUARDED_BY(mu_);
  std::optional<RecordPosition> checkpointed_ ABSL_GUARDED_BY(mu_);
  // When the first record arrived of those that are being processed.
  std::optional<absl::Time> in_hand_since_ ABSL_GUARDED_BY(mu_);
  ShardProgress progress_ ABSL_GUARDED_BY(mu_);

  // Owned by the caller of TakeLoad.
  absl::Duration load_at_;
  uint64_t load_bytes_ = 0;
  double load_ = 0;
  uint64_t load_told_ = 0;

  // Owned by the thread, and gone when it has ended.
  std::unique_ptr<RecordProcessor> processor_;

  std::thread thread_;  // Last: runs on all of the above.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_SHARD_CONSUMER_H_
