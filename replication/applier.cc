#include "replication/applier.h"

#include <utility>

#include "storage/check.h"

namespace trireme {
namespace {

uint64_t PayloadBytes(const ApplyWork& work) {
  const auto* entry = std::get_if<ApplyEntry>(&work);
  if (entry == nullptr || entry->entry.payload == nullptr) return 0;
  return entry->entry.payload->size();
}

ProposalOutcome OutcomeFor(const EntryWaiter& waiter,
                           const CommittedEntry& entry, int64_t stamp_ms,
                           const ApplyResult& result) {
  ProposalOutcome outcome;
  outcome.stamp_ms = stamp_ms;
  outcome.status = result.status;
  outcome.reply = result.reply;
  outcome.places.reserve(waiter.parts.size());
  for (const ProposalPart& part : waiter.parts) {
    CHECK(part.batch < result.batches.size(),
          "the state answered for fewer shard batches than the entry has");
    outcome.places.push_back(
        {result.batches[part.batch], MakeCounter(entry.index, part.position)});
  }
  return outcome;
}

}  // namespace

Applier::Applier(ReplicatedState* state, AppliedObserver* observer,
                 absl::AnyInvocable<void(absl::Status)> on_fatal)
    : state_(state), observer_(observer), on_fatal_(std::move(on_fatal)) {}

void Applier::Submit(std::vector<ApplyWork> work) {
  uint64_t bytes = 0;
  for (const ApplyWork& unit : work) bytes += PayloadBytes(unit);
  queued_bytes_ += bytes;
  absl::MutexLock lock(&mu_);
  for (ApplyWork& unit : work) queue_.push_back(std::move(unit));
}

bool Applier::WaitForWork() {
  absl::MutexLock lock(&mu_);
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return stopping_ || !queue_.empty();
  };
  mu_.Await(absl::Condition(&ready));
  return !stopping_;
}

bool Applier::HasWork() const {
  absl::MutexLock lock(&mu_);
  return !queue_.empty();
}

bool Applier::RunOnce() {
  std::vector<ApplyWork> work;
  {
    absl::MutexLock lock(&mu_);
    work.swap(queue_);
  }
  for (ApplyWork& unit : work) {
    if (failed_) break;
    queued_bytes_ -= PayloadBytes(unit);
    if (auto* entry = std::get_if<ApplyEntry>(&unit)) {
      Run(*entry);
    } else if (auto* callback = std::get_if<ApplyCallback>(&unit)) {
      callback->run();
    } else if (observer_ != nullptr) {
      observer_->OnStateReplaced(std::get<ApplyReplacement>(unit).group);
    }
  }
  return !work.empty();
}

void Applier::Run(ApplyEntry& work) {
  absl::StatusOr<ApplyResult> result = state_->Apply(work.entry);
  if (!result.ok()) {
    // Our own data or disk is broken. Nobody gets an answer any more: the
    // entry is committed, so "failed" would be wrong, and it is not readable
    // here, so "done" would be too.
    failed_ = true;
    on_fatal_(result.status());
    return;
  }
  if (observer_ != nullptr) observer_->OnApplied(work.entry, *result);
  for (EntryWaiter& waiter : work.waiters) {
    waiter.done(OutcomeFor(waiter, work.entry, work.stamp_ms, *result));
  }
}

void Applier::Stop() {
  absl::MutexLock lock(&mu_);
  stopping_ = true;
}

}  // namespace trireme
