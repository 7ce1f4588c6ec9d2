#include "server/stream_lifecycle.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/barriers.h"
#include "server/stream_steps.h"
#include "spdlog/spdlog.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kPeriod = absl::Milliseconds(200);
constexpr absl::Duration kForgetPeriod = absl::Minutes(1);
constexpr absl::Duration kBackoffMin = absl::Milliseconds(100);
constexpr absl::Duration kBackoffMax = absl::Seconds(5);
constexpr absl::Duration kStepTimeout = absl::Seconds(10);

// What a SealShards command was answered.
absl::Status TakeEnds(const v1::Command& command, const std::string& bytes,
                      ShardEnds* ends, ShardSet* with_producers) {
  const v1::SealShardsCommand& seal = command.seal_shards();
  v1::SealShardsReply reply;
  if (!reply.ParseFromString(bytes) ||
      reply.end_counters_size() != seal.shards_size()) {
    return absl::DataLossError("a seal's reply is malformed");
  }
  for (int i = 0; i < seal.shards_size(); ++i) {
    (*ends)[ShardIndex(seal.shards(i))] = reply.end_counters(i);
  }
  for (const uint32_t shard : reply.with_producers())
    with_producers->insert(ShardIndex(shard));
  return absl::OkStatus();
}

void TellFailure(const Stream& stream, const absl::Status& failure) {
  spdlog::warn("stream {} stays {} for now: {}", stream.name,
               std::string(StreamStatusName(stream.status)),
               std::string(failure.message()));
}

}  // namespace

void StreamLifecycle::Start() { Tick(); }

void StreamLifecycle::Tick() {
  RunOnce();
  timers_->After(kPeriod, [this] { Tick(); });
}

void StreamLifecycle::ForgetExpiredShards() {
  const absl::Duration now = clock_->MonotonicNow();
  if (now < next_forget_) return;
  next_forget_ = now + kForgetPeriod;
  for (const StreamPtr& stream : catalog_->List("", catalog_->stream_count())) {
    const auto forget = ForgetExpired(*stream, clock_->WallNow());
    if (!forget) continue;
    // What does not come about is found again.
    Propose(kMetaGroup, *forget, [](const ProposalOutcome&) {});
  }
}

void StreamLifecycle::OnApplied(const CommittedEntry& entry,
                                const ApplyResult&) {
  if (entry.group == kMetaGroup && entry.has_payload) RunSoon();
}

void StreamLifecycle::OnStateReplaced(GroupId group) {
  if (group == kMetaGroup) RunSoon();
}

void StreamLifecycle::RunSoon() {
  {
    absl::MutexLock lock(&mu_);
    changed_ = true;
    if (soon_) return;
    soon_ = true;
  }
  // Not here: this is the applier's thread.
  timers_->After(absl::ZeroDuration(), [this] { RunOnce(); });
}

void StreamLifecycle::RunOnce() {
  const bool leads = replicas_->LeaderOf(kMetaGroup) == replicas_->self();
  std::vector<StreamPtr> due;
  {
    absl::MutexLock lock(&mu_);
    soon_ = false;
    // Whoever begins to lead looks at everything.
    if (leads && !led_) changed_ = true;
    led_ = leads;
    if (!leads) return;
    due = TakeDue();
  }
  for (StreamPtr& stream : due) Begin(std::move(stream));
  ForgetExpiredShards();
}

std::vector<StreamLifecycle::StreamPtr> StreamLifecycle::TakeDue() {
  std::vector<StreamPtr> due;
  if (!changed_ && drives_.empty()) return due;
  changed_ = false;
  const absl::Duration now = clock_->MonotonicNow();
  absl::flat_hash_map<StreamId, Drive> still;
  for (StreamPtr& stream : catalog_->List("", catalog_->stream_count())) {
    if (!IsMoving(*stream)) continue;
    Drive drive = drives_[stream->id];
    if (!drive.in_flight && drive.retry_at <= now) {
      drive.in_flight = true;
      due.push_back(stream);
    }
    still[stream->id] = drive;
  }
  // What is in flight is remembered until its replies are here.
  for (const auto& [id, drive] : drives_) {
    if (drive.in_flight) still.try_emplace(id, drive);
  }
  drives_ = std::move(still);
  return due;
}

// Its fields behind `stream` change under the driver's lock.
struct StreamLifecycle::Round {
  StreamPtr stream;
  std::vector<StreamStep> steps;
  size_t step = 0;
  size_t replies_due = 0;
  absl::Status failure;  // The first.
  ShardEnds ends;
  ShardSet with_producers;  // Of those that have an end.
};

void StreamLifecycle::Begin(StreamPtr stream) {
  auto round = std::make_shared<Round>();
  round->steps = StepsOf(*stream);
  round->stream = std::move(stream);
  // What the parents know is read here once they are sealed: a node that cannot
  // must not seal them.
  absl::btree_set<GroupId> groups;
  for (const Reshard& reshard : round->stream->reshards) {
    for (const ShardIndex parent : reshard.parents)
      groups.insert(round->stream->FindShard(parent)->group);
  }
  AwaitBarriers(groups, kStepTimeout, replicas_,
                [this, round](const absl::Status& status) {
                  if (status.ok()) return TakeStep(round);
                  TellFailure(*round->stream, status);
                  EndRound(round->stream->id, false);
                });
}

// Of reshards all of whose parents are sealed: children are told once, of all
// of their parents.
ShardSet StreamLifecycle::ParentsToHandOver(const Round& round) {
  ShardSet parents;
  for (const Reshard& reshard : round.stream->reshards) {
    const bool is_sealed =
        std::all_of(reshard.parents.begin(), reshard.parents.end(),
                    [&](ShardIndex it) { return round.ends.contains(it); });
    if (!is_sealed) continue;
    for (const ShardIndex parent : reshard.parents) {
      if (round.with_producers.contains(parent)) parents.insert(parent);
    }
  }
  return parents;
}

void StreamLifecycle::TakeStep(const RoundPtr& round) {
  const StreamStep* step = nullptr;
  {
    absl::MutexLock lock(&mu_);
    if (round->step < round->steps.size()) {
      step = &round->steps[round->step];
      round->replies_due = step->size();
    }
  }
  if (step == nullptr) return HandOver(round);
  for (const auto& [group, command] : *step) {
    Propose(group, command,
            [this, round, command = &command](const ProposalOutcome& outcome) {
              OnReply(round, *command, outcome);
            });
  }
}

void StreamLifecycle::OnReply(const RoundPtr& round, const v1::Command& command,
                              const ProposalOutcome& outcome) {
  absl::Status failure;
  {
    absl::MutexLock lock(&mu_);
    round->failure.Update(outcome.status);
    if (outcome.status.ok() && command.has_seal_shards()) {
      round->failure.Update(TakeEnds(command, outcome.reply, &round->ends,
                                     &round->with_producers));
    }
    if (--round->replies_due > 0) return;
    ++round->step;
    failure = round->failure;
  }
  if (failure.ok()) return TakeStep(round);
  TellFailure(*round->stream, failure);
  // Nobody can write to what is sealed until its children are shown.
  if (!round->ends.empty()) return HandOver(round);
  EndRound(round->stream->id, false);
}

// Whoever put to the sealed shards exactly once is made known to their
// children, before these are shown.
void StreamLifecycle::HandOver(const RoundPtr& round) {
  ShardSet parents;
  {
    absl::MutexLock lock(&mu_);
    parents = ParentsToHandOver(*round);
  }
  if (parents.empty()) return Finish(round);
  handover_.Run(round->stream, parents,
                [this, round](const ProducerHandover::Outcome& outcome) {
                  OnHandedOver(round, outcome);
                });
}

void StreamLifecycle::OnHandedOver(const RoundPtr& round,
                                   const ProducerHandover::Outcome& outcome) {
  if (outcome.status.ok()) return Finish(round);
  TellFailure(*round->stream, outcome.status);
  bool has_ends = false;
  {
    absl::MutexLock lock(&mu_);
    round->failure.Update(outcome.status);
    for (const ShardIndex parent : outcome.untold) round->ends.erase(parent);
    has_ends = !round->ends.empty();
  }
  if (has_ends) return Finish(round);
  EndRound(round->stream->id, false);
}

void StreamLifecycle::Finish(const RoundPtr& round) {
  Propose(kMetaGroup, FinishOf(*round->stream, round->ends),
          [this, round](const ProposalOutcome& outcome) {
            const Stream& stream = *round->stream;
            if (!outcome.status.ok()) TellFailure(stream, outcome.status);
            const bool done = outcome.status.ok() && round->failure.ok();
            if (done) {
              spdlog::info("stream {} is {}", stream.name,
                           std::string(FinishedName(stream)));
            }
            EndRound(stream.id, done);
          });
}

void StreamLifecycle::EndRound(StreamId stream, bool ok) {
  absl::MutexLock lock(&mu_);
  Drive& drive = drives_[stream];
  drive.in_flight = false;
  changed_ = true;
  if (ok) {
    drive.failures = 0;
    // The catalogue here may not show it yet; that is no reason to repeat it.
    drive.retry_at = clock_->MonotonicNow() + kBackoffMin;
    return;
  }
  const int doublings = std::min(drive.failures++, 10);
  drive.retry_at = clock_->MonotonicNow() +
                   std::min(kBackoffMin * (1 << doublings), kBackoffMax);
}

void StreamLifecycle::Propose(GroupId group, const v1::Command& command,
                              absl::AnyInvocable<void(ProposalOutcome)> done) {
  replicas_->Propose(ProposalOfCommand(group, command.SerializeAsString(),
                                       kStepTimeout, std::move(done)));
}

}  // namespace trireme
