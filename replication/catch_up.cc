#include "replication/catch_up.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace trireme {

void CatchUp::Start(GroupId group, NodeId from) {
  absl::MutexLock lock(&mu_);
  pulls_.push_back({group, from});
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
  on_pulled_(pull.group, PullGroup(pull));
  return true;
}

absl::StatusOr<AppliedPosition> CatchUp::PullGroup(const Pull& pull) {
  ASSIGN_OR_RETURN(const std::string held, state_->DescribeHeld(pull.group));
  ASSIGN_OR_RETURN(const std::unique_ptr<StateSource> source,
                   transport_->PullState(pull.from, pull.group, held));
  // The peer may have been started anew since it was named to us.
  if (source->position().index < state_->Applied(pull.group).index) {
    return absl::UnavailableError(
        absl::StrCat("node ", pull.from.value(), " is at index ",
                     source->position().index, " itself, behind this node"));
  }
  const absl::Duration started = clock_->MonotonicNow();
  uint64_t bytes = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::string chunk, source->Next());
    if (chunk.empty()) break;
    RETURN_IF_ERROR(state_->InstallChunk(pull.group, chunk));
    bytes += chunk.size();
    if (!Pace(bytes, started)) return absl::CancelledError("stopping");
  }
  RETURN_IF_ERROR(state_->FinishInstall(pull.group, source->position()));
  return source->position();
}

bool CatchUp::Pace(uint64_t bytes, absl::Duration started) {
  absl::Duration ahead;
  if (bytes_per_second_ > 0) {
    ahead = absl::Seconds(1) * (static_cast<double>(bytes) /
                                static_cast<double>(bytes_per_second_)) -
            (clock_->MonotonicNow() - started);
  }
  absl::MutexLock lock(&mu_);
  mu_.AwaitWithTimeout(absl::Condition(&stopping_),
                       std::max(ahead, absl::ZeroDuration()));
  return !stopping_;
}

void CatchUp::Stop() {
  absl::MutexLock lock(&mu_);
  stopping_ = true;
}

}  // namespace trireme
