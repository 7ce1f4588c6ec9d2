// ShardReader reads committed records of a shard from this node's replica:
// from the tail in memory or from the shard log on disk (design.md D7).
// Owned by a Node; thread-safe.
#ifndef TRIREME_SERVER_SHARD_READER_H_
#define TRIREME_SERVER_SHARD_READER_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "server/record_encoding.h"
#include "server/shard_tail.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/state_machine.h"

namespace trireme {

// What a read found.
struct ShardRead {
  RecordRun run;        // `run.next` is where the next read goes on.
  bool at_tip = false;  // Nothing was beyond it at that moment.
  bool at_end = false;  // Nothing ever will be: the shard is closed.
  int64_t millis_behind_latest = 0;
};

class ShardReader {
 public:
  ShardReader(const StateMachine* state, ShardTails* tails, Clock* clock)
      : state_(state), tails_(tails), clock_(clock) {}

  // Reads without touching the disk; nullopt when the position is not in
  // memory and ReadLog must be asked. ResourceNotFoundException when the shard
  // is not here (not yet, or not any more).
  absl::StatusOr<std::optional<ShardRead>> ReadMemory(
      const Stream& stream, const Shard& shard, Counter from,
      const RunLimits& limits) const;
  // Reads from the shard log; blocks on the disk.
  absl::StatusOr<ShardRead> ReadLog(const Stream& stream, const Shard& shard,
                                    Counter from,
                                    const RunLimits& limits) const;
  // The first position whose record arrived at or after `time`; blocks.
  absl::StatusOr<Counter> FindTime(const Stream& stream, const Shard& shard,
                                   absl::Time time) const;

  ShardState StateOf(const Stream& stream, const Shard& shard) const;

 private:
  // What is older has expired (kinesis-contract.md §2.7).
  int64_t HorizonMs(const Stream& stream) const;

  // Set at construction.
  const StateMachine* const state_;
  ShardTails* const tails_;
  Clock* const clock_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SHARD_READER_H_
