// What a program implements to work on a shard's records batch by batch
// (client/batch_processor.h), as a stream function does
// (kinesis-contract.md §6).
#ifndef TRIREME_CLIENT_BATCH_FUNCTION_H_
#define TRIREME_CLIENT_BATCH_FUNCTION_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/record_processor.h"
#include "client/user_record.h"

namespace trireme::client {

// The tumbling window that a batch belongs to: [start, end).
struct BatchWindow {
  absl::Time start;
  absl::Time end;
  // What the invocation before gave; empty for the first of the window.
  absl::string_view state;
  // The last invocation for this state; it has no records.
  bool is_final = false;
  // Final before the window's end, because the state is over 1 MiB. The window
  // goes on with an empty one.
  bool is_terminated_early = false;
};

// All of it is valid until Handle returns.
struct Batch {
  absl::string_view stream_name;
  absl::string_view shard_id;
  // In the order of the shard; all of one tumbling window.
  absl::Span<const UserRecord> records;
  // 1 for the first; counts invocations for a larger batch that it is a part
  // of, too.
  int attempt = 1;
  std::optional<BatchWindow> window;  // With tumbling windows only.
};

// Success, unless something is set.
struct BatchResult {
  // Not OK: the whole batch failed.
  absl::Status status;
  // With report_batch_item_failures: the lowest of these failed, and everything
  // behind it; what comes before it is done. One that is empty or not in the
  // batch: the whole batch failed. Without the option any entry means that.
  std::vector<RecordPosition> failed;
  // With tumbling windows: carried to the window's next invocation. Without
  // one the whole batch failed, unless it was the final one.
  std::optional<std::string> state;
};

class BatchFunction {
 public:
  virtual ~BatchFunction() = default;

  // Called by one thread at a time. May block; must not throw. Records may be
  // given again, to this object or to another worker's.
  virtual BatchResult Handle(const Batch& batch) = 0;
};

// Called once for a lease; with a parallelization factor, that many times.
using BatchFunctionFactory =
    std::function<std::unique_ptr<BatchFunction>(const ShardLease&)>;

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_BATCH_FUNCTION_H_
