#include "replication/raft_group.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/crc32c.h"
#include "storage/entry_payload.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// What an entry takes in the log besides its payload, roughly.
constexpr uint64_t kEntryOverheadBytes = 64;

ProposalOutcome OutcomeOf(absl::Status status) {
  ProposalOutcome outcome;
  outcome.status = std::move(status);
  return outcome;
}

}  // namespace

RaftGroup::RaftGroup(GroupId id, const raft::Config& config,
                     raft::Restored restored, SegmentLog* log, int64_t stamp_ms)
    : id_(id),
      log_(log),
      uncommitted_bytes_max_(config.uncommitted_bytes_max),
      core_(config, restored),
      stamp_ms_(stamp_ms),
      handed_(restored.applied),
      evicted_(restored.base_index),
      counted_(restored.base_index) {}

void RaftGroup::Enqueue(PendingProposal proposal) {
  waiting_.Add(std::move(proposal));
}

void RaftGroup::ProposeWaiting(int64_t now_ms, uint64_t entry_bytes_max,
                               uint64_t bytes_max) {
  uint64_t bytes = 0;
  while (!waiting_.empty() && core_.role() == raft::Role::kLeader &&
         core_.uncommitted_bytes() < uncommitted_bytes_max_ &&
         bytes < bytes_max) {
    RaiseStamp(now_ms);
    std::vector<PendingProposal> proposals =
        waiting_.TakeEntry(entry_bytes_max);
    Packed packed = Pack(proposals);
    bytes += packed.payload.size();
    const uint32_t crc = Crc32c(packed.payload);
    const absl::StatusOr<LogIndex> index =
        core_.Propose(MakePayload(std::move(packed.payload)), crc);
    if (!index.ok()) {
      // Refused while leadership is being handed over: they stay and are
      // moved, or tried again, by a later turn.
      return waiting_.PutBack(std::move(proposals));
    }
    AddWaiters(std::move(proposals), std::move(packed), *index);
  }
}

RaftGroup::Packed RaftGroup::Pack(
    const std::vector<PendingProposal>& proposals) const {
  const std::string& command = proposals.front().body->command;
  if (command.empty()) return PackRecords(proposals);
  Packed packed;
  packed.payload = EncodeCommandPayload(stamp_ms_, command);
  packed.parts.emplace_back();
  return packed;
}

RaftGroup::Packed RaftGroup::PackRecords(
    const std::vector<PendingProposal>& proposals) const {
  struct Piece {
    size_t proposal;
    size_t put;
    ShardBatch batch;
  };
  std::vector<Piece> pieces;
  Packed packed;
  packed.parts.resize(proposals.size());
  for (size_t i = 0; i < proposals.size(); ++i) {
    const std::vector<PutBatch>& puts = proposals[i].body->puts;
    packed.parts[i].resize(puts.size());
    for (size_t j = 0; j < puts.size(); ++j) {
      Piece& piece = pieces.emplace_back(
          Piece{i, j, {puts[j].shard, puts[j].record_count, puts[j].batch}});
      if (puts[j].stamp != nullptr)
        piece.batch.stamped.push_back({0, puts[j].stamp});
    }
  }
  // Stable: records of one shard keep the order in which they came.
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) {
                     return a.batch.shard < b.batch.shard;
                   });
  std::vector<ShardBatch> batches;
  batches.reserve(pieces.size());
  ProposalPart at;
  for (size_t i = 0; i < pieces.size(); ++i) {
    Piece& piece = pieces[i];
    if (i > 0 && piece.batch.shard != batches.back().shard) {
      at = {at.batch + 1, 0};
    }
    at.record_count = piece.batch.record_count;
    packed.parts[piece.proposal][piece.put] = at;
    at.position += piece.batch.record_count;
    batches.push_back(std::move(piece.batch));
  }
  packed.payload = EncodeRecordsPayload(stamp_ms_, batches);
  return packed;
}

void RaftGroup::AddWaiters(std::vector<PendingProposal> proposals,
                           Packed packed, LogIndex index) {
  EntryWaiters& entry = entry_waiters_[{index, core_.term()}];
  entry.stamp_ms = stamp_ms_;
  for (size_t i = 0; i < proposals.size(); ++i) {
    entry.waiters.push_back({std::move(packed.parts[i]),
                             std::move(proposals[i].done),
                             proposals[i].deadline});
  }
}

void RaftGroup::RaiseStamp(int64_t now_ms) {
  // A new leader's stamps go on from the newest one in its log, which another
  // leader with another clock may have made (design.md D6).
  for (LogIndex index = core_.last_index();
       stamp_term_ != core_.term() && index > core_.base_index(); --index) {
    const raft::Entry& entry = core_.EntryAt(index);
    if (entry.type != raft::EntryType::kData) continue;
    const absl::StatusOr<Payload> payload = PayloadOf(entry);
    CHECK(payload.ok(), payload.status().ToString());
    const absl::StatusOr<DecodedPayload> decoded = DecodePayload(**payload);
    CHECK(decoded.ok(), decoded.status().ToString());
    stamp_ms_ = std::max(stamp_ms_, decoded->stamp_ms);
    break;
  }
  stamp_term_ = core_.term();
  stamp_ms_ = std::max(stamp_ms_, now_ms);
}

std::vector<PendingProposal> RaftGroup::TakeWaiting() {
  return waiting_.TakeAll();
}

absl::StatusOr<std::vector<ApplyWork>> RaftGroup::TakeCommitted(
    uint64_t bytes_max) {
  std::vector<ApplyWork> work;
  uint64_t bytes = 0;
  while (!installing && handed_ < core_.commit_index() && bytes < bytes_max) {
    const raft::Entry& entry = core_.EntryAt(handed_ + 1);
    ApplyEntry apply;
    apply.entry = {id_, entry.index, entry.term,
                   entry.type == raft::EntryType::kData, nullptr};
    if (apply.entry.has_payload) {
      ASSIGN_OR_RETURN(apply.entry.payload, PayloadOf(entry));
    }
    EntryWaiters waiters = TakeWaitersUpTo(entry);
    apply.waiters = std::move(waiters.waiters);
    apply.stamp_ms = waiters.stamp_ms;
    bytes += entry.payload_bytes;
    work.push_back(std::move(apply));
    ++handed_;
  }
  return work;
}

RaftGroup::EntryWaiters RaftGroup::TakeWaitersUpTo(const raft::Entry& entry) {
  EntryWaiters taken;
  while (!entry_waiters_.empty() &&
         entry_waiters_.begin()->first.first <= entry.index) {
    auto first = entry_waiters_.extract(entry_waiters_.begin());
    if (first.key() == std::pair(entry.index, entry.term)) {
      taken = std::move(first.mapped());
      continue;
    }
    // Another leader's entry was committed in this place: ours never will be.
    for (EntryWaiter& waiter : first.mapped().waiters) {
      waiter.Answer(OutcomeOf(MakeError(
          ErrorReason::kNoLeader,
          absl::StrCat("the leader of group ", id_.value(),
                       " changed before the write was replicated; nothing "
                       "was written"))));
    }
  }
  return taken;
}

absl::StatusOr<Payload> RaftGroup::PayloadOf(const raft::Entry& entry) const {
  if (entry.payload != nullptr) return entry.payload;
  return log_->Read(id_, entry.index);
}

absl::Status RaftGroup::FillPayloads(raft::Message& message) const {
  for (raft::Entry& entry : message.entries) {
    if (entry.payload_bytes == 0) continue;
    ASSIGN_OR_RETURN(entry.payload, PayloadOf(entry));
  }
  return absl::OkStatus();
}

void RaftGroup::Expire(absl::Duration now) {
  for (PendingProposal& proposal : waiting_.TakeExpired(now)) {
    proposal.done(OutcomeOf(
        MakeError(ErrorReason::kNoLeader,
                  absl::StrCat("group ", id_.value(),
                               " did not take the write in time; nothing was "
                               "written"))));
  }
  for (auto& [place, entry] : entry_waiters_) {
    for (EntryWaiter& waiter : entry.waiters) {
      if (waiter.deadline > now || !waiter.done) continue;
      waiter.Answer(OutcomeOf(MakeError(
          ErrorReason::kOutcomeUnknown,
          absl::StrCat("the write to group ", id_.value(),
                       " was not confirmed by two zones in time; it may or "
                       "may not take place"))));
    }
  }
}

void RaftGroup::OnStateInstalled(const AppliedPosition& position) {
  installing = false;
  handed_ = std::max(handed_, position.index);
  stamp_ms_ = std::max(stamp_ms_, position.stamp_ms);
  while (!entry_waiters_.empty() &&
         entry_waiters_.begin()->first.first <= position.index) {
    for (EntryWaiter& waiter : entry_waiters_.begin()->second.waiters) {
      waiter.Answer(OutcomeOf(MakeError(
          ErrorReason::kOutcomeUnknown,
          "this node fell behind before the write was confirmed; it may or "
          "may not have taken place")));
    }
    entry_waiters_.erase(entry_waiters_.begin());
  }
  // A log that was dropped is counted anew; one that was kept goes on.
  if (core_.base_index() < counted_) return;
  evicted_ = counted_ = core_.base_index();
  cached_bytes_ = log_bytes_ = 0;
}

LogIndex RaftGroup::Bound(LogIndex durable, uint64_t cached_bytes_max,
                          uint64_t log_bytes_max, LogIndex excess) {
  // Only committed entries are counted: they are never truncated. They are on
  // our own disk as well, so those that wait for a slow applier, or for one
  // that waits for space, need not stay in memory.
  const auto bytes_of = [this](LogIndex index) {
    return core_.EntryAt(index).payload_bytes + kEntryOverheadBytes;
  };
  for (; counted_ < core_.commit_index(); ++counted_) {
    cached_bytes_ += bytes_of(counted_ + 1);
    log_bytes_ += bytes_of(counted_ + 1);
  }
  const LogIndex evicted_before = evicted_;
  excess = std::min(excess, durable);
  while ((cached_bytes_ > cached_bytes_max || evicted_ < excess) &&
         evicted_ < counted_) {
    cached_bytes_ -= bytes_of(++evicted_);
  }
  if (evicted_ > evicted_before) core_.EvictPayloads(evicted_);
  const LogIndex trim_max = std::min(durable, evicted_);
  LogIndex trim = core_.base_index();
  while ((log_bytes_ > log_bytes_max || trim < excess) && trim < trim_max) {
    log_bytes_ -= bytes_of(++trim);
  }
  if (trim > core_.base_index()) core_.TrimLog(trim);
  return trim;
}

}  // namespace trireme
