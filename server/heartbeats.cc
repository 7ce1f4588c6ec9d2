#include "server/heartbeats.h"

#include <algorithm>
#include <utility>

#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kGatherFor = absl::Milliseconds(50);
// Of one command; the next begin another.
constexpr size_t kHeartbeatsMax = 1'000;

void Answer(const ProposalOutcome& outcome,
            std::vector<Heartbeats::Heard> heard) {
  absl::Status status = outcome.status;
  v1::HeartbeatsReply reply;
  if (status.ok() && (!reply.ParseFromString(outcome.reply) ||
                      reply.known_size() != static_cast<int>(heard.size()))) {
    status = absl::DataLossError("the reply to heartbeats is malformed");
  }
  for (size_t i = 0; i < heard.size(); ++i) {
    if (status.ok()) {
      heard[i](reply.known(static_cast<int>(i)));
    } else {
      heard[i](status);
    }
  }
}

}  // namespace

void Heartbeats::Send(v1::Heartbeat heartbeat, absl::Duration timeout,
                      Heard heard) {
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  bool is_first = false;
  Batch full;
  {
    absl::MutexLock lock(&mu_);
    is_first = waiting_.heard.empty();
    *waiting_.command.add_heartbeats() = std::move(heartbeat);
    waiting_.heard.push_back(std::move(heard));
    waiting_.deadline = std::max(waiting_.deadline, deadline);
    if (waiting_.heard.size() >= kHeartbeatsMax) {
      full = std::exchange(waiting_, {});
    }
  }
  if (!full.heard.empty()) return Propose(std::move(full));
  if (is_first) timers_->After(kGatherFor, [this] { ProposeWaiting(); });
}

void Heartbeats::ProposeWaiting() {
  Batch batch;
  {
    absl::MutexLock lock(&mu_);
    batch = std::exchange(waiting_, {});
  }
  // None when they filled a command before.
  if (!batch.heard.empty()) Propose(std::move(batch));
}

void Heartbeats::Propose(Batch batch) {
  v1::Command command;
  *command.mutable_consumer_groups()->mutable_heartbeats() =
      std::move(batch.command);
  replicas_->Propose(ProposalOfCommand(
      kMetaGroup, command.SerializeAsString(),
      batch.deadline - clock_->MonotonicNow(),
      [heard = std::move(batch.heard)](const ProposalOutcome& outcome) mutable {
        Answer(outcome, std::move(heard));
      }));
}

}  // namespace trireme
