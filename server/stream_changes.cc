#include "server/stream_changes.h"

#include <utility>

#include "storage/errors.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

void StreamChanges::Change(const StreamAddress& address, absl::Duration timeout,
                           Plan plan, Done<ChangedStream> done) {
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(address, router_->account());
  if (!ref.ok()) return done(ref.status());
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  router_->FindFresh(
      *ref, timeout,
      [this, deadline, plan = std::move(plan),
       done = std::move(done)](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return done(found.status());
        const Stream& stream = **found;
        if (stream.status != StreamStatus::kActive) {
          return done(StreamNotActive(stream.name,
                                      StreamStatusName(stream.status),
                                      router_->account()));
        }
        const absl::StatusOr<v1::Command> command = plan(stream);
        if (!command.ok()) return done(command.status());
        replicas_->Propose(ProposalOfCommand(
            kMetaGroup, command->SerializeAsString(),
            deadline - clock_->MonotonicNow(),
            [this, stream = *std::move(found),
             done = std::move(done)](ProposalOutcome outcome) mutable {
              if (outcome.status.ok()) {
                return done(
                    ChangedStream{std::move(stream), std::move(outcome.reply)});
              }
              // Somebody was faster; said in the words all operations use.
              if (ReasonOf(outcome.status) == ErrorReason::kResourceInUse) {
                const StreamPtr now = router_->FindHere(stream->name);
                const StreamStatus status =
                    now == nullptr || now->status == StreamStatus::kActive
                        ? StreamStatus::kUpdating  // Not heard of here yet.
                        : now->status;
                return done(StreamNotActive(stream->name,
                                            StreamStatusName(status),
                                            router_->account()));
              }
              if (ReasonOf(outcome.status) == ErrorReason::kResourceNotFound) {
                return done(StreamNotFound(stream->name, router_->account()));
              }
              done(std::move(outcome.status));
            }));
      });
}

void StreamChanges::Apply(const StreamAddress& address, absl::Duration timeout,
                          Plan plan,
                          absl::AnyInvocable<void(absl::Status)> done) {
  Change(
      address, timeout, std::move(plan),
      [done = std::move(done)](absl::StatusOr<ChangedStream> changed) mutable {
        done(changed.status());
      });
}

}  // namespace trireme
