// LogWriter is the node's log thread: it makes one batch of the segment log
// durable at a time, so that the loop keeps receiving while the disk works.
//
// Owned by a Node. Submit is called by the loop thread, RunOnce by the writer
// thread (or the simulator).
#ifndef TRIREME_REPLICATION_LOG_WRITER_H_
#define TRIREME_REPLICATION_LOG_WRITER_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "storage/segment_log.h"

namespace trireme {

class LogWriter {
 public:
  struct Written {
    LogBatch batch;
    // ResourceExhausted: the disk is full and nothing was written. Any other
    // error is final.
    absl::Status status;
  };

  explicit LogWriter(SegmentLog* log) : log_(log) {}

  // Called once, before the first Submit.
  void OnWritten(absl::AnyInvocable<void(Written)> on_written) {
    on_written_ = std::move(on_written);
  }

  // CHECKs that nothing is being written.
  void Submit(LogBatch batch);

  // Blocks until there is a batch or Stop was called; false: stopped.
  bool WaitForWork();
  bool HasWork() const;
  // Writes the batch that waits, if any.
  bool RunOnce();
  void Stop();

 private:
  // Set at construction or before the first Submit.
  SegmentLog* const log_;
  absl::AnyInvocable<void(Written)> on_written_;

  mutable absl::Mutex mu_;
  std::optional<LogBatch> batch_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_LOG_WRITER_H_
