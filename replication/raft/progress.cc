#include "replication/raft/progress.h"

#include <algorithm>

#include "storage/check.h"

namespace trireme::raft {

void Inflight::Add(LogIndex last, size_t bytes) {
  sent_.push_back({last, bytes});
  bytes_ += bytes;
}

void Inflight::FreeUpTo(LogIndex match) {
  while (!sent_.empty() && sent_.front().last <= match) {
    bytes_ -= sent_.front().bytes;
    sent_.pop_front();
  }
}

void Inflight::Clear() {
  sent_.clear();
  bytes_ = 0;
}

bool Progress::Paused(size_t messages_max, size_t bytes_max) const {
  switch (state) {
    case State::kProbe:
      return probe_sent;
    case State::kReplicate:
      return inflight.Full(messages_max, bytes_max);
    case State::kSnapshot:
      return true;
  }
  return true;
}

void Progress::BecomeProbe() {
  state = State::kProbe;
  next = match + 1;
  probe_sent = false;
  inflight.Clear();
}

void Progress::BecomeReplicate() {
  state = State::kReplicate;
  next = match + 1;
  probe_sent = false;
  inflight.Clear();
}

void Progress::BecomeSnapshot() {
  state = State::kSnapshot;
  probe_sent = false;
  inflight.Clear();
}

void Progress::Restart(uint64_t new_incarnation, bool is_recovering,
                       LogIndex next_index) {
  *this = Progress(node, next_index);
  heard = true;
  incarnation = new_incarnation;
  recovering = is_recovering;
}

bool Progress::OnAccepted(LogIndex index) {
  const bool news = index > match;
  match = std::max(match, index);
  next = std::max(next, match + 1);
  inflight.FreeUpTo(match);
  return news;
}

bool Progress::OnRejected(LogIndex rejected, LogIndex retry) {
  // It has vouched for `match`: a refusal of that is from before.
  if (rejected <= match) return false;
  if (state == State::kReplicate) {
    BecomeProbe();  // An append was lost or overtaken.
  } else if (state != State::kProbe || rejected != next - 1) {
    return false;  // Only the probe that is out can be refused.
  }
  // Past what it holds but has not persisted yet: that need not go twice.
  next = std::max(std::min(rejected, retry + 1), match + 1);
  probe_sent = false;
  return true;
}

void Progress::CheckInvariants(LogIndex last_index) const {
  CHECK(next > match, "next index fell to match (raft-notes.md, trap 7)");
  CHECK(match <= last_index, "a replica vouched beyond our log");
  CHECK(next <= last_index + 1, "next index beyond our log");
}

}  // namespace trireme::raft
