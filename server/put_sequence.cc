#include "server/put_sequence.h"

#include <utility>

#include "absl/container/flat_hash_map.h"

namespace trireme {

Routing RoutingOf(const Stream& stream) {
  return {stream.id, stream.shards.back().index};
}

PutSequence::Entry& PutSequence::EntryOf(uint64_t put) {
  return entries_[static_cast<size_t>(put - first_)];
}

uint64_t PutSequence::Enter() {
  absl::MutexLock lock(&mu_);
  if (!entries_.empty()) {
    const Entry& before = entries_.back();
    calm_ = calm_ &&
            (before.state == State::kLeft ||
             (before.state == State::kProposed && before.routing == routing_));
  }
  entries_.emplace_back();
  return first_ + entries_.size() - 1;
}

bool PutSequence::Propose(uint64_t put, Routing routing,
                          absl::AnyInvocable<void()> propose) {
  bool at_once = false;
  {
    absl::MutexLock lock(&mu_);
    Entry& entry = EntryOf(put);
    entry.routing = routing;
    if (entries_.size() == 1) routing_ = routing;
    at_once = calm_ && &entry == &entries_.back() && routing == routing_;
    if (at_once) {
      entry.state = State::kProposing;
    } else {
      calm_ = false;
      entry.state = State::kWaiting;
      entry.propose = std::move(propose);
    }
  }
  if (!at_once) return RunDue(put);
  const std::shared_ptr<PutSequence> self = shared_from_this();
  propose();
  {
    absl::MutexLock lock(&mu_);
    SetProposed(put);
    if (calm_) return true;
  }
  RunDue(put);
  return true;
}

void PutSequence::Recall(uint64_t put) {
  absl::MutexLock lock(&mu_);
  EntryOf(put).state = State::kIdle;
  calm_ = false;
}

void PutSequence::Leave(uint64_t put) {
  {
    absl::MutexLock lock(&mu_);
    Entry& entry = EntryOf(put);
    entry.state = State::kLeft;
    entry.propose = nullptr;
    while (!entries_.empty() && entries_.front().state == State::kLeft) {
      entries_.pop_front();
      ++first_;
    }
    if (calm_) return;
  }
  RunDue(put);
}

void PutSequence::SetProposed(uint64_t put) {
  // It may have left meanwhile, or have been recalled.
  if (put < first_ || EntryOf(put).state != State::kProposing) return;
  EntryOf(put).state = State::kProposed;
}

std::optional<uint64_t> PutSequence::NextDue() {
  // What is under way of each stream; its newest is none where a put waits or
  // is just being proposed.
  absl::flat_hash_map<StreamId, std::optional<ShardIndex>> under_way;
  bool all_proposed = true;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.state == State::kLeft) continue;
    // Nobody knows yet where it will go.
    if (entry.routing == Routing()) return std::nullopt;
    const auto [at, first] =
        under_way.try_emplace(entry.routing.stream, entry.routing.newest);
    const bool same = at->second == entry.routing.newest;
    if (entry.state == State::kWaiting && same) return first_ + i;
    if (entry.state != State::kProposed || !same) {
      at->second = std::nullopt;
      all_proposed = false;
    }
  }
  if (all_proposed && under_way.size() == 1) {
    calm_ = true;
    routing_ = {under_way.begin()->first, *under_way.begin()->second};
  }
  return std::nullopt;
}

bool PutSequence::RunDue(uint64_t put) {
  // What is proposed may be answered at once, and with it the caller gone.
  const std::shared_ptr<PutSequence> self = shared_from_this();
  bool found = false;
  std::optional<uint64_t> done;
  for (;;) {
    absl::AnyInvocable<void()> propose;
    {
      absl::MutexLock lock(&mu_);
      if (done.has_value()) {
        SetProposed(*done);
      } else if (running_) {
        return false;
      }
      done = NextDue();
      running_ = done.has_value();
      if (!running_) return found;
      Entry& entry = EntryOf(*done);
      entry.state = State::kProposing;
      propose = std::exchange(entry.propose, nullptr);
    }
    found = found || *done == put;
    propose();
  }
}

}  // namespace trireme
