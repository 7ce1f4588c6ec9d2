// StreamChanges is how every operation changes an ACTIVE stream: find it after
// a read barrier, plan the command for it as it is, propose that to the meta
// group, and say a refusal in the words that all operations use.
//
// Owned by the operations that use it; thread-safe.
#ifndef TRIREME_SERVER_STREAM_CHANGES_H_
#define TRIREME_SERVER_STREAM_CHANGES_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/router.h"
#include "storage/clock.h"

namespace trireme {

namespace v1 {
class Command;
}

struct ChangedStream {
  StreamPtr before;   // As it was when the change was planned.
  std::string reply;  // The command's.
};

class StreamChanges {
 public:
  // Makes the command for the stream, or says why it cannot be done to it.
  using Plan =
      absl::AnyInvocable<absl::StatusOr<v1::Command>(const Stream& stream)>;

  // All pointers must outlive this.
  StreamChanges(Router* router, Replicas* replicas, Clock* clock)
      : router_(router), replicas_(replicas), clock_(clock) {}

  void Change(const StreamAddress& address, absl::Duration timeout, Plan plan,
              Done<ChangedStream> done);
  // For a caller that only wants to know whether it was done.
  void Apply(const StreamAddress& address, absl::Duration timeout, Plan plan,
             absl::AnyInvocable<void(absl::Status)> done);

 private:
  // Set at construction.
  Router* const router_;
  Replicas* const replicas_;
  Clock* const clock_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_STREAM_CHANGES_H_
