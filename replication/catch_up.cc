#include "replication/catch_up.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace trireme {

void CatchUp::Start(GroupId group, std::vector<NodeId> sources) {
  absl::MutexLock lock(&mu_);
  pulls_.push_back({group, std::move(sources)});
}

bool CatchUp::WaitForWork() {
  absl::MutexLock lock(&mu_);
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return stopping_ || !pulls_.empty();
  };
  mu_.Await(absl::Condition(&ready));
  return !stopping_;
}

bool CatchUp::HasWork() const {
  absl::MutexLock lock(&mu_);
  return !pulls_.empty();
}

bool CatchUp::RunOnce() {
  Pull pull;
  {
    absl::MutexLock lock(&mu_);
    if (pulls_.empty()) return false;
    pull = pulls_.front();
    pulls_.pop_front();
  }
  if (failed_) return true;
  absl::StatusOr<AppliedPosition> position = PullGroup(pull);
  if (!failed_) on_pulled_(pull.group, std::move(position));
  return true;
}

absl::StatusOr<AppliedPosition> CatchUp::PullGroup(const Pull& pull) {
  absl::Status failure = absl::UnavailableError("there is no peer to ask");
  for (const NodeId source : pull.sources) {
    Attempt attempt = PullFrom(source, pull.group);
    if (attempt.position.ok() || !attempt.try_next) return attempt.position;
    spdlog::warn("group {}: node {} cannot give its state: {}",
                 pull.group.value(), source.value(),
                 attempt.position.status().ToString());
    failure = attempt.position.status();
  }
  return failure;
}

CatchUp::Attempt CatchUp::PullFrom(NodeId node, GroupId group) {
  const absl::StatusOr<std::string> held = state_->DescribeHeld(group);
  if (!held.ok()) return FailedInstall(held.status());
  const absl::StatusOr<std::unique_ptr<StateSource>> source =
      transport_->PullState(node, group, *held);
  if (!source.ok()) return FailedSource(source.status());
  const AppliedPosition position = (*source)->position();
  // The peer may have been started anew since it was named to us.
  const LogIndex ours = state_->Applied(group).index;
  if (position.index < ours) {
    return FailedSource(absl::UnavailableError(absl::StrCat(
        "it is at index ", position.index, ", behind this node's ", ours)));
  }
  const absl::Duration started = clock_->MonotonicNow();
  uint64_t bytes = 0;
  while (true) {
    const absl::StatusOr<std::string> chunk = (*source)->Next();
    if (!chunk.ok()) return FailedSource(chunk.status());
    if (chunk->empty()) break;
    absl::Status installed = state_->InstallChunk(group, *chunk);
    if (!installed.ok()) return FailedInstall(std::move(installed));
    bytes += chunk->size();
    if (!Pace(bytes, started)) return {absl::CancelledError("stopping")};
  }
  absl::Status finished = state_->FinishInstall(group, position);
  if (!finished.ok()) return FailedInstall(std::move(finished));
  return {position};
}

CatchUp::Attempt CatchUp::FailedSource(absl::Status status) const {
  absl::MutexLock lock(&mu_);
  return {std::move(status), /*try_next=*/!stopping_};
}

CatchUp::Attempt CatchUp::FailedInstall(absl::Status status) {
  // What was sent is at fault.
  if (absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status)) {
    return FailedSource(std::move(status));
  }
  // A full disk may have space again. Any other failure of ours is final.
  if (!absl::IsResourceExhausted(status)) {
    failed_ = true;
    on_fatal_(status);
  }
  return {std::move(status)};
}

bool CatchUp::Pace(uint64_t bytes, absl::Duration started) {
  absl::Duration ahead;
  if (bytes_per_second_ > 0) {
    ahead = absl::Seconds(1) * (static_cast<double>(bytes) /
                                static_cast<double>(bytes_per_second_)) -
            (clock_->MonotonicNow() - started);
  }
  return !stop_.WaitFor(std::max(ahead, absl::ZeroDuration()));
}

void CatchUp::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  stop_.Set();
  transport_->StopPulls();
}

}  // namespace trireme
