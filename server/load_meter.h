// LoadMeter measures what is written to each shard, and where in its hash key
// range: from the entries this node applies, of all groups, so that whoever
// decides about shards needs no reports of others.
//
// Owned by a LifecycleDriver. Costs nothing until it is switched on. Thread-
// safe; nothing survives a crash.
#ifndef TRIREME_SERVER_LOAD_METER_H_
#define TRIREME_SERVER_LOAD_METER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/applier.h"
#include "storage/hash_key.h"
#include "storage/ids.h"

namespace trireme {

// Of one shard, over the window before some moment.
struct ShardLoad {
  double bytes_per_second = 0;  // Data and partition keys.
  double records_per_second = 0;
  // Hash keys of records, one for every kSampleBytes or kSampleRecords: where
  // the load sits. In no order.
  std::vector<HashKey> samples;
};

class LoadMeter : public AppliedObserver {
 public:
  static constexpr absl::Duration kWindow = absl::Seconds(60);
  static constexpr uint64_t kSampleBytes = 32u << 10;
  static constexpr uint64_t kSampleRecords = 64;

  // Measures these streams from now on, and no others; `now` in Unix
  // milliseconds, by the stamps of entries.
  void Measure(const absl::flat_hash_set<StreamId>& streams, int64_t now_ms);
  // Nothing before the shard's stream was measured for a whole window.
  bool HasWindow(StreamId stream, int64_t now_ms) const;
  ShardLoad LoadOf(ShardKey shard, int64_t now_ms) const;

  // AppliedObserver
  void OnApplied(const CommittedEntry& entry,
                 const ApplyResult& result) override;
  void OnStateReplaced(GroupId group) override;

 private:
  // A part of the window.
  struct Slice {
    int64_t begin_ms = 0;
    uint64_t bytes = 0;
    uint64_t records = 0;
    std::vector<HashKey> samples;
  };
  struct Meter {
    std::deque<Slice> slices;  // Oldest first.
    uint64_t bytes_unsampled = 0;
    uint64_t records_unsampled = 0;
  };

  static void Add(absl::string_view batch, int64_t stamp_ms, Meter* meter);

  std::atomic<bool> measures_ = false;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<StreamId, int64_t> since_ms_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<ShardKey, Meter> meters_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_LOAD_METER_H_
