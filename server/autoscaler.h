// Autoscaler splits and merges the shards of on-demand streams by their load,
// on the meta group's leader: it measures (load_meter.h), asks the rules
// (scaling.h) and proposes, one change of a stream at a time. Why it did so
// stands in the stream's scaling decisions.
//
// What it has measured is lost with its leadership, and measured anew by the
// next. Owned by a LifecycleDriver; must outlive the callbacks of Replicas.
#ifndef TRIREME_SERVER_AUTOSCALER_H_
#define TRIREME_SERVER_AUTOSCALER_H_

#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/load_meter.h"
#include "server/scaling.h"
#include "server/timers.h"
#include "storage/catalog.h"
#include "storage/clock.h"

namespace trireme {

namespace v1 {
class Command;
}

class Autoscaler {
 public:
  // All pointers must outlive this. `clock`: the cluster's.
  Autoscaler(const ScalingRules& rules, const Catalog* catalog,
             Replicas* replicas, LoadMeter* meter, Timers* timers, Clock* clock)
      : rules_(rules),
        catalog_(catalog),
        replicas_(replicas),
        meter_(meter),
        timers_(timers),
        clock_(clock) {}

  // Begins to look, now and periodically.
  void Start();
  // Looks once and begins what is due. Called by the timer.
  void RunOnce();

 private:
  void Tick();
  std::optional<v1::Command> Plan(const Stream& stream, absl::Time now);
  // Nothing is under way for the stream, nor was refused a moment ago.
  bool MayScale(StreamId stream, absl::Time now);
  void Propose(const Stream& stream, const v1::Command& command);

  // Set at construction.
  const ScalingRules rules_;
  const Catalog* const catalog_;
  Replicas* const replicas_;
  LoadMeter* const meter_;
  Timers* const timers_;
  Clock* const clock_;

  // Owned by the timer's thread; of open shards.
  absl::flat_hash_map<ShardKey, absl::Time> cold_since_;

  absl::Mutex mu_;
  // Until when a stream is left alone: while a change of it is under way, and
  // for a while after one was refused.
  absl::flat_hash_map<StreamId, absl::Time> not_before_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AUTOSCALER_H_
