// WorkPool runs short jobs on a few threads of its own, so that neither the
// transport's threads nor the applier wait for a disk: reads of shard logs,
// wakes of subscribers, continuations of control calls.
//
// Owned by a Node (one for reads, one for pushes). Nothing survives a crash.
#ifndef TRIREME_SERVER_WORK_POOL_H_
#define TRIREME_SERVER_WORK_POOL_H_

#include <cstddef>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace trireme {

class WorkPool {
 public:
  using Job = absl::AnyInvocable<void()>;

  // With `threads` == 0 nothing runs but in RunOne: for tests that want to say
  // when. `queue_max` bounds TrySchedule only.
  WorkPool(const std::string& name, int threads, size_t queue_max);
  // Drops the jobs that have not begun.
  ~WorkPool();

  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  // For jobs whose number is bounded elsewhere. Dropped once stopping.
  void Schedule(Job job);
  // False, and `job` untouched, when too many wait already.
  [[nodiscard]] bool TrySchedule(Job& job);

  // Runs one job on the calling thread; false when there is none.
  bool RunOne();
  // No job runs after this returns.
  void Stop();

 private:
  void Work();

  // Set at construction.
  const size_t queue_max_;
  std::vector<std::thread> threads_;

  absl::Mutex mu_;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_WORK_POOL_H_
