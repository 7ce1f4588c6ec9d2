#include "server/put_sequence.h"

#include <utility>

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
      entry.state = State::kProposed;
    } else {
      calm_ = false;
      entry.state = State::kWaiting;
      entry.propose = std::move(propose);
    }
  }
  if (!at_once) return RunDue(put);
  propose();
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

std::optional<uint64_t> PutSequence::NextDue() {
  std::optional<Routing> routing;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.state == State::kLeft) continue;
    const bool asked =
        entry.state == State::kProposed || entry.state == State::kWaiting;
    if (!asked || (routing.has_value() && entry.routing != *routing)) {
      return std::nullopt;
    }
    if (entry.state == State::kWaiting) return first_ + i;
    routing = entry.routing;
  }
  calm_ = true;
  if (routing.has_value()) routing_ = *routing;
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
        // It may have left meanwhile, or have been recalled.
        if (*done >= first_ && EntryOf(*done).state == State::kProposing) {
          EntryOf(*done).state = State::kProposed;
        }
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
