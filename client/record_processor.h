// What a program implements to consume a stream as a worker of a consumer group
// (client/consumer.h): a RecordProcessor for each shard that the worker has the
// lease of.
#ifndef TRIREME_CLIENT_RECORD_PROCESSOR_H_
#define TRIREME_CLIENT_RECORD_PROCESSOR_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/user_record.h"

namespace trireme::client {

// The lease that a processor is made for.
struct ShardLease {
  std::string stream_name;
  std::string group_name;
  std::string worker_id;
  std::string shard_id;
  // The checkpoint there is; none: nothing was checkpointed yet.
  std::optional<RecordPosition> checkpoint;
  // Of a checkpoint that an owner before prepared and did not complete.
  std::optional<RecordPosition> pending_checkpoint;
  std::string pending_state;
};

struct RecordBatch {
  std::vector<UserRecord> records;  // In the order of the shard.
  // How much older the last of them is than the newest record of the shard.
  // Zero: nothing is behind it.
  absl::Duration behind_latest;
};

// How far the shard is processed. Thread-safe; lives as long as the processor.
class Checkpointer {
 public:
  virtual ~Checkpointer() = default;

  // Everything up to `position`, itself too, is processed: whoever has the
  // lease next begins behind it. Errors: FailedPrecondition
  // (LeaseLostException) when another worker has the lease, or may have;
  // InvalidArgument for a position that lies before the checkpoint there is, or
  // comes after the last record that was given.
  virtual absl::Status Checkpoint(const RecordPosition& position) = 0;
  // Everything that was given is, but for a batch that Process refused.
  virtual absl::Status Checkpoint() = 0;
  // Keeps `state` (64 KiB at most) with the lease, and that it was about to
  // checkpoint `position`, until the next Checkpoint; who gets the lease
  // without that is told (ShardLease). Errors: the same, and ResourceExhausted
  // (LimitExceededException) when the group's states would be over 16 MiB.
  virtual absl::Status Prepare(const RecordPosition& position,
                               absl::string_view state) = 0;
  // False when the lease is another worker's, or may be by now: what is done
  // from here on is done twice.
  virtual bool holds_lease() const = 0;
  // The lease is to be given up, or the consumer to stop: return soon, and do
  // not begin anything long.
  virtual bool is_ending() const = 0;
};

// One shard's. Its methods are called one at a time, by one thread, and may
// block; other shards go on meanwhile. Destroyed when the lease is given up.
class RecordProcessor {
 public:
  virtual ~RecordProcessor() = default;

  // The next records, or none when NextWakeUp has passed. Those that are given
  // were not given before to this processor, but for a batch that it refused.
  // An error: the same batch is given again, after a pause that grows to 10 s,
  // or at NextWakeUp when that is sooner; nothing behind it before that.
  virtual absl::Status Process(const RecordBatch& batch,
                               Checkpointer& checkpointer) = 0;
  // When Process is to be called even though no record came. Asked after each
  // call of Process. Never: InfiniteFuture.
  virtual absl::Time NextWakeUp() const { return absl::InfiniteFuture(); }
  // True: only its own checkpoints count, as with CheckpointMode::kExplicit,
  // because Process returns OK for records that are not done yet.
  virtual bool checkpoints_itself() const { return false; }

  // The shard is closed, and all of its records were given. When this returns
  // OK the end is checkpointed, and its children can be read. An error: it is
  // called again, as Process is.
  virtual absl::Status OnShardEnd(Checkpointer& checkpointer) {
    (void)checkpointer;
    return absl::OkStatus();
  }
  // The lease goes to another worker, or the consumer stops: the last chance to
  // finish what is begun and to checkpoint it. Nothing is called after it.
  virtual void OnHandOff(Checkpointer& checkpointer) { (void)checkpointer; }
  // Another worker has the lease, or may have: nothing can be checkpointed any
  // more. Nothing is called after it.
  virtual void OnLeaseLost() {}
};

using RecordProcessorFactory =
    std::function<std::unique_ptr<RecordProcessor>(const ShardLease&)>;

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_RECORD_PROCESSOR_H_
