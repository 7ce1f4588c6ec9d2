#include "replication/applier.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "spdlog/spdlog.h"
#include "storage/check.h"
#include "storage/errors.h"

namespace trireme {
namespace {

uint64_t PayloadBytes(const ApplyWork& work) {
  const auto* entry = std::get_if<ApplyEntry>(&work);
  if (entry == nullptr || entry->entry.payload == nullptr) return 0;
  return entry->entry.payload->size();
}

// Where the records of a part stand in a batch some of whose records were not
// written.
PutPlace PlaceOf(const ProposalPart& part, const AppliedBatch& batch) {
  const auto begin = batch.fates.begin() + part.position;
  const std::span fates(begin, part.record_count);
  const bool all_written =
      std::all_of(fates.begin(), fates.end(), [](const RecordFate& fate) {
        return fate.status.ok() && !fate.duplicate;
      });
  PutPlace place;
  if (all_written) {
    place.first = fates.front().number.counter;
  } else {
    place.fates.assign(fates.begin(), fates.end());
  }
  return place;
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
    const AppliedBatch& batch = result.batches[part.batch];
    if (batch.fates.empty()) {
      outcome.places.push_back(
          {batch.status, MakeCounter(entry.index, part.position)});
    } else {
      outcome.places.push_back(PlaceOf(part, batch));
    }
  }
  return outcome;
}

}  // namespace

void EntryWaiter::Answer(ProposalOutcome outcome) {
  if (done) std::exchange(done, nullptr)(std::move(outcome));
}

Applier::Applier(ReplicatedState* state, AppliedObserver* observer,
                 absl::AnyInvocable<void(absl::Status)> on_fatal)
    : state_(state), observer_(observer), on_fatal_(std::move(on_fatal)) {}

void Applier::Submit(std::vector<ApplyWork> work) {
  for (const ApplyWork& unit : work) queued_bytes_ += PayloadBytes(unit);
  std::vector<ApplyBarrier> free_readers;
  {
    absl::MutexLock lock(&mu_);
    for (ApplyWork& unit : work) queue_.push_back(std::move(unit));
    if (stalled_) free_readers = TakeFreeReaders();
  }
  for (ApplyBarrier& reader : free_readers) reader.done(absl::OkStatus());
}

void Applier::OnTick(absl::Duration now) {
  if (!waits_for_space()) return;
  Late late;
  {
    absl::MutexLock lock(&mu_);
    stalled_ = false;
    for (ApplyWork& unit : queue_) TakeLate(now, unit, &late);
  }
  for (EntryWaiter& proposer : late.proposers) {
    ProposalOutcome outcome;
    outcome.status = MakeError(
        ErrorReason::kOutcomeUnknown,
        "the disk of this node is full: it cannot tell in time whether the "
        "write took place");
    proposer.Answer(std::move(outcome));
  }
  for (ApplyBarrier& reader : late.readers) {
    reader.done(MakeError(
        ErrorReason::kDiskFull,
        "the disk of this node is full: what is newest cannot be read here"));
  }
}

void Applier::TakeLate(absl::Duration now, ApplyWork& unit, Late* late) {
  if (auto* entry = std::get_if<ApplyEntry>(&unit)) {
    for (EntryWaiter& waiter : entry->waiters) {
      if (waiter.deadline > now || !waiter.done) continue;
      late->proposers.push_back({{}, std::exchange(waiter.done, nullptr)});
    }
  } else if (auto* barrier = std::get_if<ApplyBarrier>(&unit)) {
    if (barrier->deadline > now || !barrier->done) return;
    late->readers.push_back(
        {barrier->group, std::exchange(barrier->done, nullptr)});
  }
}

bool Applier::WaitForWork() {
  absl::MutexLock lock(&mu_);
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return stopping_ || (!stalled_ && !queue_.empty());
  };
  mu_.Await(absl::Condition(&ready));
  return !stopping_;
}

bool Applier::HasWork() const {
  absl::MutexLock lock(&mu_);
  return !stalled_ && !queue_.empty();
}

bool Applier::RunOnce() {
  std::deque<ApplyWork> work;
  {
    absl::MutexLock lock(&mu_);
    if (stalled_) return false;
    work.swap(queue_);
  }
  const size_t taken = work.size();
  for (; !work.empty() && !failed_; work.pop_front()) {
    ApplyWork& unit = work.front();
    if (auto* entry = std::get_if<ApplyEntry>(&unit)) {
      if (!Run(*entry)) break;
    } else if (auto* callback = std::get_if<ApplyCallback>(&unit)) {
      callback->run();
    } else if (auto* barrier = std::get_if<ApplyBarrier>(&unit)) {
      if (barrier->done) barrier->done(absl::OkStatus());
    } else if (observer_ != nullptr) {
      observer_->OnStateReplaced(std::get<ApplyReplacement>(unit).group);
    }
    queued_bytes_ -= PayloadBytes(unit);
  }
  const bool done_any = work.size() < taken;
  if (!work.empty() && !failed_) Stall(std::move(work));
  return done_any;
}

bool Applier::Run(ApplyEntry& work) {
  absl::StatusOr<ApplyResult> result = state_->Apply(work.entry);
  if (ReasonOf(result.status()) == ErrorReason::kDiskFull) {
    if (!waits_for_space_.exchange(true)) {
      spdlog::warn("entries wait to be applied: {}",
                   result.status().ToString());
    }
    return false;
  }
  if (!result.ok()) {
    // Our own data or disk is broken. Nobody gets an answer any more: the
    // entry is committed, so "failed" would be wrong, and it is not readable
    // here, so "done" would be too.
    failed_ = true;
    on_fatal_(result.status());
    return true;
  }
  if (waits_for_space_.exchange(false)) {
    spdlog::info("entries are applied again");
  }
  if (observer_ != nullptr) observer_->OnApplied(work.entry, *result);
  for (EntryWaiter& waiter : work.waiters) {
    if (!waiter.done) continue;
    waiter.Answer(OutcomeFor(waiter, work.entry, work.stamp_ms, *result));
  }
  return true;
}

void Applier::Stall(std::deque<ApplyWork> work) {
  std::vector<ApplyBarrier> free_readers;
  {
    absl::MutexLock lock(&mu_);
    work.insert(work.end(), std::make_move_iterator(queue_.begin()),
                std::make_move_iterator(queue_.end()));
    queue_ = std::move(work);
    stalled_ = true;
    free_readers = TakeFreeReaders();
  }
  for (ApplyBarrier& reader : free_readers) reader.done(absl::OkStatus());
}

std::vector<ApplyBarrier> Applier::TakeFreeReaders() {
  std::vector<ApplyBarrier> free;
  absl::flat_hash_set<GroupId> behind;  // Groups with work in the queue.
  std::erase_if(queue_, [&](ApplyWork& unit) {
    if (const auto* entry = std::get_if<ApplyEntry>(&unit)) {
      behind.insert(entry->entry.group);
    } else if (const auto* replaced = std::get_if<ApplyReplacement>(&unit)) {
      behind.insert(replaced->group);
    } else if (auto* reader = std::get_if<ApplyBarrier>(&unit)) {
      if (reader->done && behind.contains(reader->group)) return false;
      if (reader->done) free.push_back(std::move(*reader));
      return true;
    }
    return false;
  });
  return free;
}

void Applier::Stop() {
  absl::MutexLock lock(&mu_);
  stopping_ = true;
}

}  // namespace trireme
