#include "replication/proposal_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace trireme {
namespace {

// What a stream may send before it is another one's turn.
constexpr uint64_t kTurnBytes = 64u << 10;

uint64_t CountRecords(const ProposalBody& body) {
  uint64_t records = 0;
  for (const PutBatch& put : body.puts) records += put.record_count;
  return records;
}

}  // namespace

StreamId ProposalQueue::LaneOf(const PendingProposal& proposal) {
  // A proposal's puts are all of one stream.
  const std::vector<PutBatch>& puts = proposal.body->puts;
  return puts.empty() ? StreamId() : puts.front().shard.stream;
}

void ProposalQueue::Add(PendingProposal proposal) {
  const StreamId stream = LaneOf(proposal);
  const auto [lane, is_new] = lanes_.try_emplace(stream);
  if (is_new) turns_.push_back(stream);
  bytes_ += proposal.body->bytes();
  lane->second.waiting.push_back(std::move(proposal));
}

std::vector<PendingProposal> ProposalQueue::TakeEntry(
    uint64_t entry_bytes_max) {
  std::vector<PendingProposal> entry;
  uint64_t bytes = 0;
  uint64_t records = 0;
  while (!turns_.empty()) {
    Lane& lane = lanes_.at(turns_.front());
    if (!std::exchange(turn_begun_, true)) lane.credit += kTurnBytes;
    const ProposalBody& body = *lane.waiting.front().body;
    const uint64_t size = body.bytes();
    if (turns_.size() > 1 && size > lane.credit) {
      EndTurn();
      continue;
    }
    const bool is_command = !body.command.empty();
    bytes += size;
    records += CountRecords(body);
    const bool fits = !is_command && bytes <= entry_bytes_max &&
                      records <= kEntryPositionsMax;
    if (!entry.empty() && !fits) break;
    lane.credit -= std::min(lane.credit, size);
    entry.push_back(TakeFirst(&lane));
    if (lane.waiting.empty()) RemoveLane();
    if (is_command) break;
  }
  return entry;
}

void ProposalQueue::PutBack(std::vector<PendingProposal> entry) {
  for (auto at = entry.rbegin(); at != entry.rend(); ++at) {
    const StreamId stream = LaneOf(*at);
    const auto [lane, is_new] = lanes_.try_emplace(stream);
    if (is_new) {
      turns_.push_front(stream);
      turn_begun_ = false;
    }
    bytes_ += at->body->bytes();
    lane->second.waiting.push_front(std::move(*at));
  }
}

std::vector<PendingProposal> ProposalQueue::TakeAll() {
  std::vector<PendingProposal> all;
  for (const StreamId stream : turns_) {
    std::deque<PendingProposal>& waiting = lanes_.at(stream).waiting;
    std::move(waiting.begin(), waiting.end(), std::back_inserter(all));
  }
  lanes_.clear();
  turns_.clear();
  turn_begun_ = false;
  bytes_ = 0;
  return all;
}

std::vector<PendingProposal> ProposalQueue::TakeExpired(absl::Duration now) {
  std::vector<PendingProposal> expired;
  for (const StreamId stream : turns_) {
    std::deque<PendingProposal>& waiting = lanes_.at(stream).waiting;
    const auto rest = std::stable_partition(
        waiting.begin(), waiting.end(),
        [now](const PendingProposal& one) { return one.deadline > now; });
    for (auto at = rest; at != waiting.end(); ++at) {
      bytes_ -= at->body->bytes();
      expired.push_back(std::move(*at));
    }
    waiting.erase(rest, waiting.end());
  }
  if (expired.empty()) return expired;
  std::erase_if(turns_, [this](StreamId stream) {
    const bool is_idle = lanes_.at(stream).waiting.empty();
    if (is_idle) lanes_.erase(stream);
    return is_idle;
  });
  turn_begun_ = false;
  return expired;
}

PendingProposal ProposalQueue::TakeFirst(Lane* lane) {
  PendingProposal first = std::move(lane->waiting.front());
  lane->waiting.pop_front();
  bytes_ -= first.body->bytes();
  return first;
}

void ProposalQueue::EndTurn() {
  turns_.push_back(turns_.front());
  turns_.pop_front();
  turn_begun_ = false;
}

void ProposalQueue::RemoveLane() {
  lanes_.erase(turns_.front());
  turns_.pop_front();
  turn_begun_ = false;
}

}  // namespace trireme
